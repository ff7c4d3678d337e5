package endpoint

import (
	"errors"
	"html/template"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The end session endpoint (OpenID Connect RP-Initiated Logout 1.0). A link
// signs nobody out, unless an ID token in it was issued in the very session that
// the browser has; in every other case the person is asked.

// maxLogoutRequest is how long the parameters may be that a browser is sent on
// with, in bytes of a URL.
const maxLogoutRequest = 12 << 10

var (
	errNotRegistered = uma.NewError(uma.InvalidRequest, "The application wants you to be sent to an address that it has not registered, so you are not sent there. You have not been signed out.")
	errLongLogout    = uma.NewError(uma.InvalidRequest, "The request is too long.").Because(uma.ErrTooLarge)
)

// logoutParameters are all that is sent on: whatever else came has no business in
// a URL or on a page.
var logoutParameters = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales", "logout_hint"}

func encodeLogout(form uma.Form) string {
	known := uma.Form{}
	for _, name := range logoutParameters {
		if value, ok := form[name]; ok {
			known[name] = value
		}
	}
	return encode(known)
}

// logout is a verified request, with what the client sent.
type logout struct {
	as.LogoutRequest
	asked uma.Form
}

// way is the URI that the browser goes to afterwards, "" for none.
func (l logout) way() string {
	if l.RedirectURI == "" {
		return ""
	}
	var params [][2]string
	if state, ok := l.asked["state"]; ok {
		params = append(params, [2]string{"state", state})
	}
	return oauth.AddQuery(l.RedirectURI, params)
}

func (s *Server) readLogout(c *call, asked uma.Form) (logout, error) {
	req, err := s.AS.LogoutRequest(c.r.Context(), s.SignIn.Session(c.r), as.LogoutParameters{
		IDTokenHint: asked["id_token_hint"], Client: oauth.ClientID(asked["client_id"]), PostLogoutRedirectURI: asked["post_logout_redirect_uri"],
	})
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		err = errNotRegistered.Because(err)
	}
	return logout{req, asked}, err
}

// endSession signs out whom the request proves to be signed in with the client,
// and asks everybody else.
func (s *Server) endSession(c *call) error {
	if strings.Contains(c.r.Header.Get("Sec-Purpose"), "prefetch") {
		return errPrefetch
	}
	req, err := s.readLogout(c, c.form)
	if err != nil {
		return err
	}
	in := s.SignIn.Session(c.r) != ""
	if in && req.Proven || !in && req.Hinted {
		return s.signOutAndLeave(c, req)
	}
	form := signOutForm{Path: pathEndSession, Asked: encodeLogout(c.form), Back: template.URL(req.way())}
	if req.Client.ID != "" {
		app := describe(req.Client, req.RedirectURI)
		form.App = &app
	}
	s.showSignOut(c, form, req.RedirectURI)
	return nil
}

// endSessionForm answers the page that asks. Without that page's anti-forgery
// token, a POST is a request that an application sent as a form: as at the
// authorization endpoint, it decides nothing and goes through a redirect.
func (s *Server) endSessionForm(c *call) error {
	if _, ours := c.form[page.FieldForm]; !ours {
		query := encodeLogout(c.form)
		if len(query) > maxLogoutRequest {
			return errLongLogout
		}
		s.redirect(c, s.base+pathEndSession+"?"+query)
		return nil
	}
	asked, err := uma.ParseQuery(c.form["asked"])
	if err != nil {
		return err
	}
	req, err := s.readLogout(c, asked)
	if err != nil {
		return err
	}
	return s.signOutAndLeave(c, req)
}

// signOutAndLeave signs the browser out and sends it to where the client wanted
// it, or to the page that says that nobody is signed in.
func (s *Server) signOutAndLeave(c *call, req logout) error {
	if err := s.SignIn.SignOut(c.w, c.r); err != nil {
		return err
	}
	to := req.way()
	if to == "" {
		to = s.base + pathSignOut
	}
	s.redirect(c, to)
	return nil
}
