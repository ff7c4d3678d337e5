package main

import (
	"net/http"
	"strings"

	"github.com/licet/licet/uma"
)

// Where the specifications speak of a message.

func sectionOfRequest(r *http.Request) string {
	path := r.URL.Path
	switch {
	case strings.HasSuffix(path, "/uma2-configuration"):
		return "Grant 2"
	case strings.HasSuffix(path, "/uma/permission"):
		return "FedAuthz 4.1"
	case strings.HasSuffix(path, "/introspect"):
		return "FedAuthz 5.1"
	case strings.HasSuffix(path, "/token"):
		return "Grant 3.3.1"
	case strings.HasSuffix(path, "/uma/claims"):
		return "Grant 3.3.2"
	case strings.Contains(path, "/uma/claims/"):
		return "Grant 3.3.2 (claims gathering)"
	case strings.Contains(path, "/uma/resources"):
		return "FedAuthz 3.2"
	case strings.Contains(path, "/owner/"):
		return "policy manager extension"
	case strings.HasSuffix(path, "/claims-callback"):
		return "Grant 3.3.3"
	case r.Header.Get("Authorization") != "":
		return "Grant 3.4"
	case strings.HasPrefix(path, "/photos/") && r.Header.Get("Cookie") == "":
		return "Grant 3.1"
	default:
		return ""
	}
}

// sectionsOfErrors are where the token endpoint's refusals are told.
var sectionsOfErrors = map[uma.Code]string{
	uma.NeedInfoCode: "Grant 3.3.6 (need_info)", uma.RequestSubmittedCode: "Grant 3.3.6 (request_submitted)",
	uma.RequestDenied: "Grant 3.3.6 (request_denied)", uma.InvalidGrant: "Grant 3.3.6", uma.InvalidScope: "Grant 3.3.6",
}

func sectionOfAnswer(r *http.Request, resp *http.Response, body []byte) string {
	path, status := r.URL.Path, resp.StatusCode
	switch {
	case strings.HasSuffix(path, "/token") && status == http.StatusOK:
		return "Grant 3.3.5"
	case strings.HasSuffix(path, "/token"):
		refusal, err := uma.ParseErrorResponse(strings.NewReader(string(body)))
		if err != nil {
			return ""
		}
		return sectionsOfErrors[refusal.Error]
	case strings.HasSuffix(path, "/uma/permission"):
		return "FedAuthz 4.2"
	case strings.HasSuffix(path, "/introspect"):
		return "FedAuthz 5.1.1"
	case strings.Contains(path, "/uma/claims/") && strings.Contains(resp.Header.Get("Location"), "ticket="):
		return "Grant 3.3.3"
	case strings.HasPrefix(path, "/photos/") && status == http.StatusUnauthorized && r.Header.Get("Authorization") != "":
		return "Grant 3.5"
	case strings.HasPrefix(path, "/photos/") && status == http.StatusUnauthorized:
		return "Grant 3.2.1"
	case strings.HasPrefix(path, "/photos/") && status == http.StatusForbidden && r.Header.Get("Cookie") == "":
		return "Grant 3.2.2"
	default:
		return ""
	}
}
