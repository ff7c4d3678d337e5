package as

import (
	"errors"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// ProfileSignedRPT identifies RPTs that are signed JWTs: see
// docs/reference/signed-rpt.md.
const ProfileSignedRPT = "https://github.com/licet/licet/profiles/signed-rpt/1"

// signedRPTType is the typ of such an RPT, and of nothing else.
const signedRPTType = "rpt+jwt"

// signedRPT are the claims of a signed RPT: what introspection would say, for one
// resource server, and for a short while.
type signedRPT struct {
	Issuer      string                       `json:"iss"`
	Audience    oauth.ClientID               `json:"aud"`
	Client      oauth.ClientID               `json:"client_id"`
	ID          string                       `json:"jti"`
	IssuedAt    int64                        `json:"iat"`
	ExpiresAt   int64                        `json:"exp"`
	Bound       *uma.Confirmation            `json:"cnf"`
	Permissions []uma.IntrospectedPermission `json:"permissions"`
}

// signing is an RPT that is signed: for which resource server, and what it is then
// used for. Nobody asks about it again, so who makes one notes the
// use, once the transaction is kept.
type signing struct {
	server oauth.ClientID
	used   []byte
}

// noteIssued notes the use of a signed RPT that was issued; nil is none.
func (s *Server) noteIssued(rpt *signing) {
	if rpt != nil {
		s.noteUse(keyOf(string(rpt.used)), rpt.used)
	}
}

// signs has the RPT signed if the resource server wants it so, and it is bound. What can be verified without asking and used
// by whoever has it could be taken back by nobody.
func (i *issuance) signs(k known) error {
	if i.boundTo == "" || i.grant.Kind != GrantUMA {
		return nil
	}
	server, err := k.Client(i.grant.ResourceServer)
	if err == nil && server.SignedRPTs {
		i.signed = &signing{server: server.ID}
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// signRPT makes a signed RPT of what is live of a grant.
func (s *Server) signRPT(tx Tx, i issuance, now, ends time.Time) (string, error) {
	states, err := tx.PermissionsOf(i.grant)
	if err != nil {
		return "", err
	}
	live := s.livePermissions(states, i.narrowed)
	i.signed.used = usedPermissions(i.grant, live)
	key, err := s.signingKey()
	if err != nil {
		return "", err
	}
	return oauth.Sign(key, signedRPTType, signedRPT{
		Issuer: s.Issuer, Audience: i.signed.server, Client: i.client.ID, ID: s.vault.bearer(),
		IssuedAt: now.Unix(), ExpiresAt: ends.Unix(), Bound: i.boundTo.Members(), Permissions: merged(live),
	})
}
