package as

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/licet/licet/internal/egress"
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

// worthTelling is how long after a session has ended its clients are still told.
const worthTelling = 24 * time.Hour

// logoutBody is the body of a MessageLogout.
type logoutBody struct {
	Subject   AccountID `json:"sub"`
	SessionID string    `json:"sid"`
}

// announceEnd writes down that the clients which have an ID token of a session,
// and want to be told, are to be told that it has ended.
func (s *Server) announceEnd(tx Tx, session Session) error {
	participants, err := tx.Participants(session.ID)
	if err != nil {
		return err
	}
	for _, id := range participants {
		c, err := tx.Client(id)
		if errors.Is(err, ErrNotFound) || err == nil && (c.Disabled || c.BackchannelLogoutURI == "") {
			continue
		}
		if err != nil {
			return err
		}
		body, err := json.Marshal(logoutBody{session.Account, s.sid(session.ID, id)})
		if err != nil {
			return err
		}
		now := s.now()
		err = tx.InsertMessage(Message{
			ID: MessageID(s.vault.id(now)), Kind: MessageLogout, Recipient: string(id), Body: body, DueAt: now, ExpiresAt: now.Add(worthTelling),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendLogout tells a client, at the address that it is registered with now
// (OpenID Connect Back-Channel Logout 1.0, 2.5). The logout token is made for this
// attempt, since it lives for two minutes; its jti is that of every attempt, by
// which the client knows that it was told before.
func (s *Server) sendLogout(ctx context.Context, m Message) error {
	var body logoutBody
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return err
	}
	c, err := s.FindClient(ctx, oauth.ClientID(m.Recipient))
	var unknown *uma.Error
	if errors.As(err, &unknown) || err == nil && c.BackchannelLogoutURI == "" {
		return errMoot
	}
	if err != nil {
		return err
	}
	if s.Fetch == nil {
		return errors.New("as: there is no egress client to tell anybody with")
	}
	s.refreshKeys(ctx)
	key, err := s.signingKey()
	if err != nil {
		return err
	}
	token, err := oauth.SignLogoutToken(key, oauth.LogoutTokenClaims{
		Issuer: s.Issuer, Subject: string(body.Subject), Audience: m.Recipient, SessionID: body.SessionID, ID: string(m.ID),
		IssuedAt: s.now().Unix(), ExpiresAt: s.now().Add(logoutTokenLife).Unix(),
	})
	if err != nil {
		return err
	}
	return egress.PostForm(ctx, s.Fetch, c.BackchannelLogoutURI, url.Values{"logout_token": {token}})
}

const logoutTokenLife = 2 * time.Minute
