package endpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The claims interaction endpoint (Grant 3.3.2, 3.3.3):
//
//	GET  /uma/claims        client and redirect URI are checked, the ticket is
//	                        spent, a visit begins; its handle is in a cookie
//	GET  /uma/claims/visit  the sign-in form, or: do you want to say who you are?
//	POST /uma/claims/visit  the answer; the last one ends the visit and sends the
//	                        browser back with a new ticket, or with an error
//
// Until the redirect URI is known to be the client's, every failure is a page.

var (
	errUnknownApplication = uma.NewError(uma.InvalidRequest, "The link that brought you here names no application that is known here.")
	errUnknownPlace       = uma.NewError(uma.InvalidRequest, "The application wants you to be sent to an address that it has not registered, so you are not sent there.")
	errNoVisitHere        = uma.NewError(uma.InvalidRequest, "Nothing has been begun in this browser, or it has ended. Go back to the application and start again.")
	errUnknownAnswer      = uma.NewError(uma.InvalidRequest, "This page does not know that answer.")
	errSaidNo             = uma.NewError(uma.AccessDenied, "The person said no.")
)

var problemWhy = page.Sentence("What you write to the owner may have 300 characters. Make it shorter.")

// client finds the client that a browser's request names. There is nowhere to
// send the browser when there is none (Grant 3.3.3).
func (s *Server) client(c *call, id string) (oauth.Client, error) {
	client, err := s.AS.FindClient(c.r.Context(), oauth.ClientID(id))
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		return client, errUnknownApplication.Because(err)
	}
	return client, err
}

// errPrefetch is the answer to a browser that only looks ahead. To look at the
// endpoint is to spend the ticket.
var errPrefetch = uma.NewError(uma.InvalidRequest, "This page cannot be fetched ahead of time.")

// claims begins a visit (Grant 3.3.2).
func (s *Server) claims(c *call) error {
	if strings.Contains(c.r.Header.Get("Sec-Purpose"), "prefetch") {
		return errPrefetch
	}
	client, err := s.client(c, c.form["client_id"])
	if err != nil {
		return err
	}
	uri, err := client.ClaimsRedirectURI(c.form["claims_redirect_uri"])
	if err != nil {
		return errUnknownPlace.Because(err)
	}
	to := wayBack{uri: uri}
	to.state, to.hasState = c.form["state"]
	handle, err := s.beginVisit(c, client, to)
	if err != nil {
		var refusal *uma.Error
		c.wrong = errors.As(err, &refusal)
		s.sendBackError(c, to, err)
		return nil
	}
	s.page(c).SetCookie(cookieVisit, handle, int(s.AS.Lifetimes.Interaction/time.Second))
	s.redirect(c, s.base+pathClaimsVisit)
	return nil
}

// beginVisit has the ticket spent. The one that comes back is bound to the
// code_challenge, if there is one (uma.ProfileTicketBinding).
func (s *Server) beginVisit(c *call, client oauth.Client, to wayBack) (handle string, err error) {
	challenge, err := oauth.ParseChallenge(c.form)
	if err != nil {
		return "", err
	}
	return s.AS.BeginInteraction(c.r.Context(), client, uma.Ticket(c.form["ticket"]), as.Interaction{
		RedirectURI: to.uri, State: to.state, HasState: to.hasState, CodeChallenge: challenge,
	})
}

// visiting is a visit with who is signed in at its browser.
type visiting struct {
	as.Visit
	handle  string
	account as.Account // without an id when nobody is signed in
}

func (v visiting) wayBack() wayBack {
	return wayBack{uri: v.RedirectURI, state: v.State, hasState: v.HasState}
}

// openVisit finds the visit of this browser. The handle is taken from nowhere
// but the cookie: one in a URL could be an attacker's (SEC-063).
func (s *Server) openVisit(c *call) (visiting, error) {
	handle, found := s.page(c).Cookie(cookieVisit)
	if !found {
		return visiting{}, errNoVisitHere
	}
	account, _, _ := s.SignIn.Person(c.r)
	v, err := s.AS.Visit(c.r.Context(), handle, account.ID, s.page(c).Held()...)
	if err == nil && v.Client.Disabled {
		err = errUnknownApplication
	}
	return visiting{Visit: v, handle: handle, account: account}, err
}

// visit shows what the visit waits for. Somebody who is signed in already is
// asked all the same: otherwise an application could learn who is at the browser
// by sending it here (Grant 5.1).
func (s *Server) visit(c *call) error {
	v, err := s.openVisit(c)
	if err != nil {
		return err
	}
	return s.showVisit(c, http.StatusOK, v, "")
}

// showVisit shows the question to somebody who is signed in or has a link to what was
// asked for, and to anybody else, or to whoever would rather sign in, the ways to do
// that.
func (s *Server) showVisit(c *call, status int, v visiting, problem string) error {
	common, app := s.form(c, pathClaimsVisit), describe(v.Client, v.RedirectURI)
	o := page.Options{Problem: s.problem(c, problem), LeadsTo: v.RedirectURI}
	if v.account.ID == "" && (!v.Linked || c.form["action"] != "" && c.form["action"] != "allow") {
		return s.showSignIn(c, status, signInForm{Path: pathClaimsVisit, Email: c.form["email"], App: &app, Service: v.Service}, problem, o)
	}
	s.page(c).Show(status, s.pages, "visit", o, struct {
		formPage
		App      application
		Service  string
		In       bool
		Person   person
		Promises []promise
		Linked   bool // a link opens what was asked for
		Why      string
		WhyWrong bool
		Longest  int
	}{common, app, v.Service, v.account.ID != "", about(v.account), promisesOf(v.Promises), v.Linked, c.form["why"], problem == problemWhy, as.MaxWhy})
	return nil
}

// promise is a promise as a checkbox. The box has a digest of the text as its
// value, so that nobody agrees to a text that was changed meanwhile.
type promise struct {
	Input string // the name of the input
	Value string
	Terms bool // Text is the address of terms, and not a purpose
	Text  string
}

func promisesOf(asked []as.Promise) []promise {
	out := make([]promise, len(asked))
	for i, p := range asked {
		sum := sha256.Sum256([]byte(p.Name + "\x00" + p.Value))
		out[i] = promise{
			Input: "promise-" + strconv.Itoa(i), Value: hex.EncodeToString(sum[:16]),
			Terms: p.Name == policy.ClaimTerms, Text: p.Value,
		}
	}
	return out
}

// Link is the address of the terms if it can be a link.
func (p promise) Link() string {
	if p.Terms && strings.HasPrefix(p.Text, "https://") {
		return p.Text
	}
	return ""
}

// answerVisit answers the form of the visit's page.
func (s *Server) answerVisit(c *call) error {
	v, err := s.openVisit(c)
	if err != nil {
		return err
	}
	switch c.form["action"] {
	case "sign-in", "code", "passkey":
		problem, next, err := s.enter(c, s.base+pathClaimsVisit)
		if err != nil {
			return err
		}
		if problem != "" {
			v.account = as.Account{}
			return s.showVisit(c, http.StatusUnprocessableEntity, v, problem)
		}
		s.redirect(c, next)
		return nil
	case "who":
		return s.showVisit(c, http.StatusOK, v, "")
	case "switch":
		if err := s.SignIn.SignOut(c.w, c.r); err != nil {
			return err
		}
		s.redirect(c, s.base+pathClaimsVisit)
		return nil
	case "cancel":
		return s.cancelVisit(c, v)
	case "allow":
		return s.finishVisit(c, v)
	default:
		return errUnknownAnswer
	}
}

// finishVisit ends the visit with success (Grant 3.3.3): the claims join the
// process here, and the client gets a new ticket and no claim.
func (s *Server) finishVisit(c *call, v visiting) error {
	if v.account.ID == "" && !v.Linked {
		return errStaleForm
	}
	for _, p := range promisesOf(v.Promises) {
		if c.form[p.Input] != p.Value {
			return s.showVisit(c, http.StatusUnprocessableEntity, v, page.Sentence("Something is left to agree to. Tick it if you do, or cancel."))
		}
	}
	ticket, done, err := s.AS.FinishInteraction(c.r.Context(), v.handle, v.account.ID, as.Said{
		Promised: v.Promises, Why: c.form["why"], Remember: c.form["remember"] == "yes", Links: s.page(c).Held(),
	})
	var refusal *uma.Error
	switch {
	case errors.Is(err, as.ErrLongWhy):
		return s.showVisit(c, http.StatusUnprocessableEntity, v, problemWhy)
	case errors.As(err, &refusal):
		return err
	case err != nil:
		s.endVisit(c, v.wayBack(), err)
	default:
		s.endVisit(c, wayBack{done.RedirectURI, done.State, done.HasState}, nil, [2]string{"ticket", string(ticket)})
	}
	return nil
}

// cancelVisit ends the visit without success.
func (s *Server) cancelVisit(c *call, v visiting) error {
	_, err := s.AS.CancelInteraction(c.r.Context(), v.handle)
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		return err
	}
	if err == nil {
		err = errSaidNo
	}
	s.endVisit(c, v.wayBack(), err)
	return nil
}

// endVisit takes the handle from the browser and sends it back.
func (s *Server) endVisit(c *call, to wayBack, err error, params ...[2]string) {
	s.page(c).SetCookie(cookieVisit, "", -1)
	if err != nil {
		s.sendBackError(c, to, err)
		return
	}
	s.sendBack(c, to, params...)
}
