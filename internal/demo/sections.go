package demo

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/licet/licet/uma"
)

// Where the specifications speak of a message, and what it says in plain words.

const (
	grant    = "UMA Grant, section "
	fedAuthz = "Federated Authorization, section "
)

func aboutRequest(from, to party, r *http.Request) (section, says string) {
	path := r.URL.Path
	switch {
	case strings.HasSuffix(path, "/uma2-configuration"):
		return grant + "2", fmt.Sprintf("%s looks up where everything is at %s.", from, to)
	case to == partyLicet && strings.HasSuffix(path, "/uma/permission"):
		return fedAuthz + "4.1", fmt.Sprintf("%s tells %s what was tried.", from, to)
	case to == partyLicet && strings.HasSuffix(path, "/introspect"):
		return fedAuthz + "5.1", fmt.Sprintf("%s asks what the token that it was shown is good for.", from)
	case to == partyLicet && strings.HasSuffix(path, "/token"):
		return grant + "3.3.1", fmt.Sprintf("%s asks for access, with the ticket.", from)
	case to == partyLicet && strings.HasSuffix(path, "/uma/claims"):
		return grant + "3.3.2", fmt.Sprintf("Bob's browser comes to %s, sent by the app.", to)
	case to == partyLicet && strings.Contains(path, "/uma/claims/"):
		return grant + "3.3.2", "Bob says who he is."
	case to == partyLicet && strings.Contains(path, "/uma/resources"):
		return fedAuthz + "3.2", fmt.Sprintf("%s puts a thing under protection.", from)
	case to == partyApp:
		return grant + "3.3.3", "Bob's browser comes back to the app, with the next ticket."
	case r.Header.Get("Authorization") != "":
		return grant + "3.4", fmt.Sprintf("%s comes with a token.", from)
	default:
		return grant + "3.1", fmt.Sprintf("%s asks %s for the thing, with nothing in hand.", from, to)
	}
}

// aboutAnswer also says what is in it in a word.
func aboutAnswer(from, to party, r *http.Request, status int, h http.Header, body []byte) (section, says, what string) {
	path := r.URL.Path
	switch {
	case strings.HasSuffix(path, "/uma2-configuration"):
		return grant + "2", fmt.Sprintf("%s tells where everything is.", from), "discovery document"
	case from == partyLicet && strings.HasSuffix(path, "/uma/permission"):
		return fedAuthz + "4.2", fmt.Sprintf("%s answers with a ticket that can be used once.", from), "ticket"
	case from == partyLicet && strings.HasSuffix(path, "/introspect"):
		if bytes.Contains(body, []byte(`"active":true`)) {
			return fedAuthz + "5.1.1", fmt.Sprintf("%s tells what is permitted now.", from), "permissions"
		}
		return fedAuthz + "5.1.1", "The token is good for nothing any more.", "active: false"
	case from == partyLicet && strings.HasSuffix(path, "/token"):
		return aboutToken(from, status, body)
	case from == partyLicet && strings.Contains(h.Get("Location"), "ticket="):
		return grant + "3.3.3", "Bob is sent back to the app, with the next ticket.", "back, with a ticket"
	case from == partyLicet && strings.Contains(path, "/uma/claims"):
		return grant + "3.3.2", fmt.Sprintf("%s shows Bob a page.", from), "page"
	case from == partyLicet && strings.Contains(path, "/uma/resources"):
		return fedAuthz + "3.2", fmt.Sprintf("%s knows the thing from now on.", from), ""
	case from == partyApp:
		return "", "The app shows Bob what has come of it.", "page"
	case status == http.StatusUnauthorized && r.Header.Get("Authorization") != "":
		return grant + "3.5", fmt.Sprintf("%s does not let that token in, and hands out a new ticket.", from), "with a ticket"
	case status == http.StatusUnauthorized:
		return grant + "3.2.1", fmt.Sprintf("%s sends the app to Licet, with the ticket.", from), "with a ticket"
	case status == http.StatusForbidden:
		return grant + "3.2.2", fmt.Sprintf("%s cannot say now, and stays shut.", from), ""
	case status == http.StatusOK:
		return grant + "3.5", fmt.Sprintf("%s hands the thing out.", from), "the thing itself"
	}
	return "", fmt.Sprintf("%s answers.", from), ""
}

func aboutToken(from party, status int, body []byte) (section, says, what string) {
	if status == http.StatusOK {
		return grant + "3.3.5", fmt.Sprintf("%s hands out a token.", from), "token (RPT)"
	}
	refusal, err := uma.ParseErrorResponse(bytes.NewReader(body))
	if err != nil {
		return "", fmt.Sprintf("%s says no.", from), ""
	}
	says = fmt.Sprintf("%s says no.", from)
	switch refusal.Error {
	case uma.NeedInfoCode:
		says = fmt.Sprintf("%s wants to know who is asking.", from)
	case uma.RequestSubmittedCode:
		says = "Nobody has allowed it yet. The question goes to Alice."
	case uma.RequestDenied:
		says = "It is not permitted, and that is final."
	}
	return grant + "3.3.6", says, string(refusal.Error)
}
