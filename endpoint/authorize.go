package endpoint

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2). The
// person is asked each time: consent is never silent, so prompt=none never
// succeeds.

// authorize shows what an application asks for.
func (s *Server) authorize(c *call) error {
	req, client, err := s.authorizationRequest(c, c.form)
	if err != nil {
		return s.refuseAuthorization(c, err)
	}
	account, at, in := s.SignIn.Person(c.r)
	in = in && s.recent(req, at)
	switch {
	case slices.Contains(req.Prompt, oauth.PromptNone):
		refusal := uma.NewError(uma.LoginRequired, "Nobody is signed in.")
		if in {
			refusal = uma.NewError(uma.ConsentRequired, "The person has to be asked.")
		}
		s.sendBackError(c, backFrom(req), refusal)
		return nil
	case !in:
		// The sign-in that comes now is what these two ask for; if they came back
		// with the person, they would ask again for ever.
		asked := maps.Clone(c.form)
		delete(asked, "prompt")
		delete(asked, "max_age")
		s.signInAndReturn(c, asked, !s.recent(req, time.Time{}))
		return nil
	default:
		return s.askConsent(c, http.StatusOK, consent{req: req, client: client, asked: c.form, account: account}, "")
	}
}

// authorizationRequest reads the parameters of an authorization request.
func (s *Server) authorizationRequest(c *call, form uma.Form) (oauth.AuthorizationRequest, oauth.Client, error) {
	client, err := s.client(c, form["client_id"])
	if err != nil {
		return oauth.AuthorizationRequest{}, client, err
	}
	uri := form["request_uri"]
	if uri != "" {
		if form, err = s.pushed(c, client, form); err != nil {
			return oauth.AuthorizationRequest{}, client, err
		}
	} else if client.RequirePushed || s.AS.FAPI2 {
		return oauth.AuthorizationRequest{}, client, errNotPushed
	}
	req, err := s.checked(form, client)
	req.RequestURI = uri
	var toClient *oauth.RedirectError
	if err != nil && !errors.As(err, &toClient) {
		err = errUnknownPlace.Because(err)
	}
	return req, client, err
}

// checked reads and checks the parameters of an authorization request.
func (s *Server) checked(form uma.Form, client oauth.Client) (oauth.AuthorizationRequest, error) {
	req, err := oauth.ParseAuthorizationRequest(form, client)
	if err != nil {
		return req, err
	}
	targets, err := uma.ParseTargets(form)
	if err == nil {
		err = s.AS.CheckTargets(targets)
	}
	if err == nil {
		err = as.CheckScopes(req.Scopes)
	}
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		err = &oauth.RedirectError{URI: req.RedirectURI, State: req.State, HasState: req.HasState, Err: refusal}
	}
	return req, err
}

// refuseAuthorization tells the client what it may hear and the person the
// rest.
func (s *Server) refuseAuthorization(c *call, err error) error {
	var toClient *oauth.RedirectError
	if !errors.As(err, &toClient) {
		return err
	}
	s.sendBackError(c, wayBack{toClient.URI, toClient.State, toClient.HasState}, toClient.Err)
	return nil
}

func backFrom(req oauth.AuthorizationRequest) wayBack {
	return wayBack{req.RedirectURI, req.State, req.HasState}
}

// recent says whether a sign-in at that time is good enough for the request
// (OpenID Connect Core 3.1.2.1). max_age=0 is never.
func (s *Server) recent(req oauth.AuthorizationRequest, at time.Time) bool {
	if slices.Contains(req.Prompt, oauth.PromptLogin) || slices.Contains(req.Prompt, oauth.PromptSelectAccount) {
		return false
	}
	return s.proved(req, at) && (req.MaxAge == nil || *req.MaxAge > 0 && s.AS.Now().Sub(at) <= time.Duration(*req.MaxAge)*time.Second)
}

// proved says whether somebody who signed in at that time may give what is asked for:
// an application that changes whom things are shared with is let in by who has shown
// lately who they are.
func (s *Server) proved(req oauth.AuthorizationRequest, at time.Time) bool {
	return !slices.Contains(req.Scopes, oauth.ScopePolicy) || s.AS.Now().Sub(at) <= provedFor
}

// consent is a question to a person: may this client have that?
type consent struct {
	req     oauth.AuthorizationRequest
	client  oauth.Client
	asked   uma.Form
	account as.Account
}

// askConsent shows the question.
func (s *Server) askConsent(c *call, status int, q consent, problem string) error {
	var spaces []as.SpaceRole
	needsSpace := as.NeedsSpace(q.req.Scopes)
	if needsSpace {
		all, err := s.AS.SpacesOf(c.r.Context(), q.account.ID)
		if err != nil {
			return err
		}
		spaces = slices.DeleteFunc(all, func(in as.SpaceRole) bool { return !in.Role.Kind.Manages() })
	}
	o := page.Options{Problem: s.problem(c, problem), LeadsTo: q.req.RedirectURI}
	s.page(c).Show(status, s.pages, "consent", o, struct {
		formPage
		App     application
		Person  person
		Asked   string
		Wishes  []string
		Spaces  []as.SpaceRole
		Nothing bool // there is no space that this person could give access to
	}{
		s.form(c, pathAuthorize), describe(q.client, q.req.RedirectURI), about(q.account),
		encode(q.asked), wishes(q.req.Scopes), spaces, needsSpace && len(spaces) == 0,
	})
	return nil
}

// wishes says in plain words what scopes mean.
func wishes(scopes []uma.Scope) []string {
	words := []struct {
		scope uma.Scope
		words string
	}{
		{uma.ScopeProtection, page.Sentence("put things of yours under protection here, and ask who may see them")},
		{oauth.ScopePolicy, page.Sentence("see and change whom you share your things with")},
		{oauth.ScopeOpenID, page.Sentence("know that it is you when you come back")},
		{oauth.ScopeEmail, page.Sentence("see your e-mail address")},
		{oauth.ScopeProfile, page.Sentence("see your name")},
		{oauth.ScopeOfflineAccess, page.Sentence("keep this permission while you are away")},
	}
	var out []string
	for _, w := range words {
		if slices.Contains(scopes, w.scope) {
			out = append(out, w.words)
		}
	}
	return out
}

// decide answers the consent form. Without that form's anti-forgery token, a
// POST is an authorization request that an application sent as a form (OpenID
// Connect Core 3.1.2.1): it decides nothing, and is shown like any other. It
// goes through a redirect because a browser keeps our cookies from a POST that
// comes from elsewhere.
func (s *Server) decide(c *call) error {
	if _, ours := c.form[page.FieldForm]; !ours {
		s.redirect(c, s.base+pathAuthorize+"?"+encode(c.form))
		return nil
	}
	asked, err := uma.ParseQuery(c.form["asked"])
	if err != nil {
		return err
	}
	req, client, err := s.authorizationRequest(c, asked)
	if err != nil {
		return s.refuseAuthorization(c, err)
	}
	account, at, in := s.SignIn.Person(c.r)
	if !in {
		return errStaleForm
	}
	q := consent{req: req, client: client, asked: asked, account: account}
	switch c.form["action"] {
	case "allow":
		if !s.proved(req, at) {
			s.signInAndReturn(c, asked, true)
			return nil
		}
		return s.allow(c, q)
	case "deny":
		s.sendBackError(c, backFrom(req), errSaidNo)
		return nil
	case "switch":
		if err := s.SignIn.SignOut(c.w, c.r); err != nil {
			return err
		}
		s.signInAndReturn(c, asked, false)
		return nil
	default:
		return errUnknownAnswer
	}
}

// allow sends the browser back with an authorization code.
func (s *Server) allow(c *call, q consent) error {
	space := as.SpaceID(c.form["space"])
	if as.NeedsSpace(q.req.Scopes) && space == "" {
		return s.askConsent(c, http.StatusUnprocessableEntity, q, "Say for whose things this is.")
	}
	code, err := s.AS.IssueCode(c.r.Context(), q.req, s.SignIn.Session(c.r), space)
	if err != nil {
		s.sendBackError(c, backFrom(q.req), err)
		return nil
	}
	s.sendBack(c, backFrom(q.req), [2]string{"code", code})
	return nil
}
