package as

import (
	"context"
	"crypto/hmac"
	"errors"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// LogoutParameters are what a client sends along with a browser when it wants the
// person signed out (OpenID Connect RP-Initiated Logout 1.0, 2). Each may be "".
type LogoutParameters struct {
	IDTokenHint           string
	Client                oauth.ClientID
	PostLogoutRedirectURI string
}

// LogoutRequest is what was verified of such a request.
type LogoutRequest struct {
	Client oauth.Client // who asks; without an id when nobody knows
	// Hinted says that an ID token of this server names the client: it is no
	// stranger who sends the browser.
	Hinted bool
	// Proven says that this ID token was issued in the very session that the
	// browser has. Whoever can show it need not ask the person (SEC-074).
	Proven bool
	// RedirectURI is where the browser goes afterwards, one that is registered for
	// the client; "" for nowhere.
	RedirectURI string
}

// LogoutRequest verifies what a client asks for at a browser with this session,
// "" for none. An ID token that is not one of ours, or not for the client that is
// named beside it, makes a request of nobody, which leads nowhere; so does a client
// that is not known. A redirection URI that is not registered for the client is an
// *uma.Error.
func (s *Server) LogoutRequest(ctx context.Context, in SessionID, p LogoutParameters) (LogoutRequest, error) {
	hint, err := s.readHint(ctx, p)
	var foreign *oauth.TokenError
	if errors.As(err, &foreign) {
		return LogoutRequest{}, nil
	}
	if err != nil {
		return LogoutRequest{}, err
	}
	id := p.Client
	if hint.Client != "" {
		id = hint.Client
	}
	if id == "" {
		return LogoutRequest{}, nil
	}
	c, err := s.FindClient(ctx, id)
	var unknown *uma.Error
	if errors.As(err, &unknown) {
		return LogoutRequest{}, nil
	}
	if err != nil {
		return LogoutRequest{}, err
	}
	if err := c.PostLogoutRedirectURI(p.PostLogoutRedirectURI); err != nil {
		return LogoutRequest{}, err
	}
	return LogoutRequest{
		Client: c, RedirectURI: p.PostLogoutRedirectURI, Hinted: hint.Client != "",
		Proven: in != "" && hint.Client != "" && hmac.Equal([]byte(hint.SessionID), []byte(s.sid(in, hint.Client))),
	}, nil
}

// readHint verifies the ID token of a request; without one it is the zero hint.
func (s *Server) readHint(ctx context.Context, p LogoutParameters) (oauth.IDTokenHint, error) {
	if p.IDTokenHint == "" {
		return oauth.IDTokenHint{}, nil
	}
	keys, err := s.everyPublicKey(ctx)
	if err != nil {
		return oauth.IDTokenHint{}, err
	}
	hint, err := oauth.VerifyIDTokenHint(p.IDTokenHint, keys, s.Issuer, s.now())
	if err == nil && p.Client != "" && p.Client != hint.Client {
		err = &oauth.TokenError{Fault: oauth.FaultAudience, Sentence: "the ID token is for another client than the one that is named"}
	}
	return hint, err
}
