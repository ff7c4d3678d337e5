package as

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// An initial access token (RFC 7591 1.2) is sealed: it holds what the operator said
// with it, and has no row until it is used. So whoever has the server's secrets can
// make one without the store, which a running server may have for itself. How
// often it was used is counted in the store, by one conditional write in the
// transaction that makes the client.

// InitialAccess is what an initial access token is good for: so many clients, until
// then, and what these may have beyond what every client may register for. The zero
// value is nobody's.
type InitialAccess struct {
	ID         string      `json:"id"`
	Uses       int64       `json:"uses"`
	ExpiresAt  time.Time   `json:"exp"`
	Scopes     []uma.Scope `json:"scopes,omitempty"`      // beside Registration.Scopes
	PushClaims bool        `json:"push_claims,omitempty"` // as oauth.Client.PushClaims
	Space      SpaceID     `json:"space,omitempty"`       // as oauth.Client.Space
}

const anInitialAccess artefact = "initial access token"

var (
	errNoUses   = errors.New("as: an initial access token is good for one client or more")
	errNoEnd    = errors.New("as: an initial access token needs an end")
	errBadScope = errors.New("as: a scope of an initial access token is no scope token")
)

// IssueInitialAccess makes an initial access token for servers with these secrets.
// Its ID is made here.
func IssueInitialAccess(keys Secrets, a InitialAccess, rand io.Reader) (string, error) {
	v, err := newVault(keys, rand)
	if err != nil {
		return "", err
	}
	switch {
	case a.Uses < 1:
		return "", errNoUses
	case a.ExpiresAt.IsZero():
		return "", errNoEnd
	}
	for _, s := range a.Scopes {
		if !s.Valid() {
			return "", errBadScope
		}
	}
	a.ID = v.bearer()
	plain, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return encode(v.seal(anInitialAccess, plain)), nil
}

// InitialAccess reads an initial access token. Whether it has been used up is known
// when it is used. The error is invalid_token.
func (s *Server) InitialAccess(token string) (InitialAccess, error) {
	raw, ok := decode(token)
	if !ok {
		return InitialAccess{}, errInvalidToken
	}
	plain, err := s.vault.open(anInitialAccess, raw)
	if err != nil {
		return InitialAccess{}, errInvalidToken.Because(err)
	}
	var a InitialAccess
	if err := json.Unmarshal(plain, &a); err != nil {
		return InitialAccess{}, err // it was sealed by us
	}
	if !s.now().Before(a.ExpiresAt) {
		return InitialAccess{}, errInvalidToken.Because(errors.New("the initial access token has expired"))
	}
	return a, nil
}

// spendInitial uses an initial access token once. The count ends with the token, so
// it never begins anew for one that is still good.
func (s *Server) spendInitial(tx Tx, a InitialAccess) error {
	if a.ID == "" {
		return nil
	}
	_, err := tx.CountUp(s.vault.digest(aCount, "initial access\x00"+a.ID), a.Uses, s.now(), a.ExpiresAt)
	return absent(err, errInvalidToken.Because(errors.New("the initial access token is used up")))
}

// privileges gives a new client what its initial access token says.
func (a InitialAccess) privileges(c *oauth.Client) {
	c.PushClaims, c.Space = a.PushClaims, string(a.Space)
}
