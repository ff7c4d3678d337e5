package endpoint

import (
	"errors"
	"net/http"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

var (
	errNotPushed = uma.NewError(uma.InvalidRequest, "This application has to push its requests first.")
	errNoPlace   = uma.NewError(uma.InvalidRequest, "The redirect_uri is missing.")
	errOtherKey  = uma.NewError(oauth.InvalidDPoPProof, "The DPoP proof is not of the key of dpop_jkt.")
	errBeside    = uma.NewError(uma.InvalidRequest, "A request that was pushed has no other parameters beside its request_uri.")
)

// push is the pushed authorization request endpoint (RFC 9126 2). A request is
// checked as at the authorization endpoint, and refused to the client's face
// instead of the person's.
func (s *Server) push(c *call) error {
	form := uma.Form{}
	for name, value := range c.form {
		switch name {
		case "client_secret", "client_assertion", "client_assertion_type":
		default:
			form[name] = value
		}
	}
	if form["client_id"] == "" {
		form["client_id"] = string(c.client.ID)
	}
	if form["request_uri"] != "" {
		return uma.NewError(uma.InvalidRequest, "A request_uri cannot be pushed.")
	}
	if s.AS.FAPI2 && form["redirect_uri"] == "" {
		return errNoPlace
	}
	key, err := s.AS.PushedKey(c.r.Context())
	if err != nil {
		return err
	}
	if bound := key.Members(); bound != nil {
		if asked := form["dpop_jkt"]; asked != "" && asked != bound.Key {
			return errOtherKey
		}
		form["dpop_jkt"] = bound.Key
	}
	if _, err := s.checked(form, *c.client); err != nil {
		var toClient *oauth.RedirectError
		if errors.As(err, &toClient) {
			return toClient.Err
		}
		return err
	}
	uri, life, err := s.AS.PushRequest(c.r.Context(), c.client.ID, form)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, struct {
		RequestURI string `json:"request_uri"`
		ExpiresIn  int64  `json:"expires_in"`
	}{uri, int64(life / time.Second)})
	return nil
}

// pushed returns the parameters of a pushed request. Those beside it could only
// say something else than what was checked (RFC 9126 4). Whoever has signed in since
// is not asked to sign in again by it.
func (s *Server) pushed(c *call, client oauth.Client, form uma.Form) (uma.Form, error) {
	for name := range form {
		if name != "client_id" && name != "request_uri" {
			return nil, errBeside
		}
	}
	form, at, err := s.AS.PushedRequest(c.r.Context(), client.ID, form["request_uri"])
	if _, since, in := s.SignIn.Person(c.r); in && since.After(at) && form["prompt"] != oauth.PromptNone {
		delete(form, "prompt")
		delete(form, "max_age")
	}
	return form, err
}
