package as

import (
	"context"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// PAT is the authenticated bearer of a protection API access token: one
// resource server acting for one space (FedAuthz 1.3).
type PAT struct {
	Space          SpaceID
	ResourceServer oauth.ClientID
	Grant          GrantID
}

// acceptedPAT is a PAT with what it is bound to and counted by.
type acceptedPAT struct {
	PAT
	boundTo oauth.Confirmation
	use     packedKey // of the grant, for the use log
}

// Owner is the authenticated bearer of a token for the policy API: a client
// acting for an account in one space. Account is "" for an organisation's own
// client.
type Owner struct {
	Space   SpaceID
	Account AccountID
	Client  oauth.ClientID
	Grant   GrantID
}

// actor is the name under which the owner's acts are recorded.
func (o Owner) actor() string {
	if o.Account != "" {
		return string(o.Account)
	}
	return string(o.Client)
}

var (
	errInvalidToken      = uma.NewError(uma.InvalidToken, "The access token is unknown, expired or revoked.")
	errInsufficientScope = uma.NewError(uma.InsufficientScope, "The access token does not have the scope that this endpoint needs.")
)

// AuthenticatePAT finds the resource server and the space that a bearer token
// speaks for. The errors are invalid_token and insufficient_scope (RFC 6750
// 3.1).
func (s *Server) AuthenticatePAT(ctx context.Context, token string) (PAT, error) {
	p, err := s.findPAT(ctx, token)
	if err == nil {
		err = s.confirm(ctx, token, p.boundTo)
	}
	if err != nil {
		return PAT{}, err
	}
	s.noteGrantUse(p.use, p.Grant)
	return p.PAT, nil
}

// findPAT finds a PAT that is live: in memory if it was shown before.
func (s *Server) findPAT(ctx context.Context, token string) (acceptedPAT, error) {
	key := keyOf(token)
	var room [256]byte
	if s.Store.Current() {
		if content, ok := s.memory.pats.get(s.memory, key, s.now(), room[:0]); ok {
			return unpackPAT(content), nil
		}
	}
	var b *bearer
	position := s.memory.now()
	err := s.Store.View(ctx, func(r Reader) (err error) {
		b, err = s.accepted(r, token, uma.ScopeProtection)
		return err
	})
	if err != nil {
		return acceptedPAT{}, err
	}
	p := acceptedPAT{
		PAT: PAT{Space: b.grant.Space, ResourceServer: b.grant.Client, Grant: b.grant.ID}, boundTo: b.token.BoundTo, use: keyOf(string(b.grant.ID)),
	}
	s.memory.pats.put(s.memory, key, packPAT(p), position, b.token.ExpiresAt,
		s.memory.hashes(append(b.grant.dependencies(), ChangedToken(b.token.Digest))...))
	return p, nil
}

// AuthenticateOwner finds the account and the space that a bearer token for the
// policy API speaks for.
func (s *Server) AuthenticateOwner(ctx context.Context, token string) (Owner, error) {
	var o Owner
	var bound oauth.Confirmation
	err := s.Store.View(ctx, func(r Reader) error {
		b, err := s.accepted(r, token, oauth.ScopePolicy)
		if err != nil {
			return err
		}
		g := b.grant
		bound = b.token.BoundTo
		o = Owner{Space: g.Space, Account: g.Account, Client: g.Client, Grant: g.ID}
		if g.Account == "" {
			return nil
		}
		return s.mayManage(r, g.Account, g.Space)
	})
	if err == nil {
		err = s.confirm(ctx, token, bound)
	}
	if err != nil {
		return Owner{}, err
	}
	s.noteGrantUse(keyOf(string(o.Grant)), o.Grant)
	return o, nil
}

// noteGrantUse notes that an access token of an OAuth grant was accepted.
func (s *Server) noteGrantUse(key packedKey, id GrantID) {
	var room [64]byte
	s.uses.note(key, appendText(room[:0], string(id)), s.now())
}

// mayManage says whether an account may still manage a space: a role that has
// ended ends the tokens made under it.
func (s *Server) mayManage(r Reader, account AccountID, space SpaceID) error {
	role, err := s.roleIn(r, account, space)
	if err == nil && !role.Kind.Manages() {
		err = errInvalidToken
	}
	return absent(err, errInvalidToken)
}

// bearer is an access token with its grant.
type bearer struct {
	token AccessToken
	grant GrantState
}

func readBearer(r Reader, digest Digest) (_ *bearer, err error) {
	var b bearer
	if b.token, err = r.AccessToken(digest); err == nil {
		b.grant, err = r.GrantState(b.token.Grant)
	}
	return &b, err
}

// accepted finds a live access token and the OAuth grant behind it, and checks that
// the token has the scope. RPTs are never accepted, whatever their scopes. Who shows
// it is for [Server.confirm].
func (s *Server) accepted(r Reader, token string, scope uma.Scope) (*bearer, error) {
	b, err := readBearer(r, s.vault.datedDigest(anAccess, token))
	switch {
	case err != nil:
		return nil, absent(err, errInvalidToken)
	case !s.live(b):
		return nil, errInvalidToken
	case b.grant.Kind != GrantOAuth, !contains(b.token.scopes(b.grant.Grant), scope),
		b.grant.Space == "" && (scope == uma.ScopeProtection || scope == oauth.ScopePolicy):
		return nil, errInsufficientScope
	}
	return b, nil
}

// live says whether an access token and its grant are both live.
func (s *Server) live(b *bearer) bool {
	return b.token.RevokedAt.IsZero() && s.now().Before(b.token.ExpiresAt) && b.grant.live()
}

// live is the one gate through which every grant passes, whatever made it and
// whatever uses it: unrevoked, and everybody it depends on is still there and
// has not called it back.
func (g GrantState) live() bool {
	return g.RevokedAt.IsZero() && !g.ClientDisabled &&
		(g.Account == "" || !g.AccountDisabled && g.AccountGeneration == g.CurrentAccountGeneration) &&
		(g.Space == "" || g.SpaceGeneration == g.CurrentSpaceGeneration)
}

func (t AccessToken) scopes(g Grant) []uma.Scope {
	if t.Scopes != nil {
		return t.Scopes
	}
	return g.Scopes
}
