package as

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The types of access tokens (RFC 6750, RFC 9449 5).
const (
	tokenTypeBearer = "Bearer"
	tokenTypeDPoP   = "DPoP"
)

func tokenType(bound oauth.Confirmation) string {
	if bound.ByKey() {
		return tokenTypeDPoP
	}
	return tokenTypeBearer
}

// issuance is what tokens are made of.
type issuance struct {
	client   *oauth.Client
	grant    Grant
	boundTo  oauth.Confirmation // "" for bearer tokens
	narrowed []uma.Scope        // nil for everything the grant has
	life     time.Duration      // of the access token
	ends     time.Time          // what none of them outlives; zero for nothing
	renews   bool               // with a refresh token

	signed *signing // set when the RPT is to be a signed JWT; nil for an opaque token
}

// issue makes the first access token of a grant, and a refresh token if it renews.
// insert writes the grant down with the token.
func (s *Server) issue(tx Tx, answer *uma.TokenResponse, i issuance, insert func(Grant, AccessToken) error) error {
	token, err := s.newAccess(tx, answer, i)
	if err != nil {
		return err
	}
	i.grant.EndsAt = token.ExpiresAt
	if !i.renews {
		return insert(i.grant, token)
	}
	refresh := s.newRefresh(answer, i)
	i.grant.EndsAt = latest(token.ExpiresAt, refresh.ExpiresAt)
	i.grant.Renewable = i.grant.Kind == GrantUMA
	if err := insert(i.grant, token); err != nil {
		return err
	}
	return tx.InsertRefreshToken(refresh)
}

// reissue makes another access token of a grant and, if it renews, another refresh
// token in place of the one that was used up.
func (s *Server) reissue(tx Tx, answer *uma.TokenResponse, i issuance) error {
	token, err := s.newAccess(tx, answer, i)
	if err != nil {
		return err
	}
	if err := tx.InsertAccessToken(token); err != nil {
		return err
	}
	until := token.ExpiresAt
	if i.renews {
		refresh := s.newRefresh(answer, i)
		if err := tx.InsertRefreshToken(refresh); err != nil {
			return err
		}
		until = latest(until, refresh.ExpiresAt)
	}
	return tx.KeepGrant(i.grant.ID, until)
}

func (s *Server) newRefresh(answer *uma.TokenResponse, i issuance) RefreshToken {
	now := s.now()
	answer.RefreshToken = s.vault.dated(now)
	t := RefreshToken{
		Digest: s.vault.datedDigest(aRefresh, answer.RefreshToken), Grant: i.grant.ID,
		CreatedAt: now, ExpiresAt: sooner(now.Add(s.Lifetimes.Refresh), i.ends),
	}
	if i.client.Public() {
		t.BoundTo = i.boundTo // that of others is bound by their authentication (RFC 9449 5)
	}
	return t
}

func (s *Server) newAccess(tx Tx, answer *uma.TokenResponse, i issuance) (AccessToken, error) {
	now := s.now()
	secret, ends := s.vault.dated(now), sooner(now.Add(i.life), i.ends)
	if i.signed != nil {
		var err error
		ends = sooner(ends, now.Add(s.Lifetimes.SignedRPT))
		if secret, err = s.signRPT(tx, i, now, ends); err != nil {
			return AccessToken{}, err
		}
	}
	answer.AccessToken, answer.TokenType = secret, tokenType(i.boundTo)
	answer.ExpiresIn = int64(ends.Sub(now) / time.Second)
	return AccessToken{
		Digest: s.vault.datedDigest(anAccess, secret), Grant: i.grant.ID, Scopes: i.narrowed, BoundTo: i.boundTo,
		CreatedAt: now, ExpiresAt: ends,
	}, nil
}

// sooner returns the earlier time, where a zero b is no bound.
func sooner(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// later returns the later of a and of b within bound, where a zero b means the
// bound itself.
func later(a, b, bound time.Time) time.Time {
	if b.IsZero() || b.After(bound) {
		b = bound
	}
	if b.After(a) {
		return b
	}
	return a
}

var errInvalidRefresh = uma.NewError(uma.InvalidGrant, "The refresh token is unknown, expired, used before, revoked, or was issued to another client.")

// Refresh answers a token request with a refresh token (RFC 6749 6, Grant
// 3.6). There is no assessment: what comes back is what is still live of the
// grant, narrowed to scopes when they are given (nil when not). It has to be good at
// the targets, if there are any (RFC 8707 2.2).
//
// A refresh token that a thief could use is of one use. A second use, whoever shows
// it, revokes the whole family: either the client or a thief has a copy, and
// nobody can tell which. One that nobody can use without a key of the client stays
// as it is, so that an answer that was lost is no loss (RFC 9700 4.14.2).
func (s *Server) Refresh(ctx context.Context, c oauth.Client, secret string, scopes []uma.Scope, targets ...string) (uma.TokenResponse, error) {
	if !c.Allows(oauth.GrantRefreshToken) {
		return uma.TokenResponse{}, uma.NewError(uma.UnauthorizedClient, "The client is not registered for this grant type.")
	}
	bound, err := s.bind(ctx, c)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	var answer uma.TokenResponse
	var signed *signing
	err = s.settle(ctx, func(tx Tx) (refusal *uma.Error, err error) {
		answer, signed, refusal, err = s.refresh(tx, c, bound, s.vault.datedDigest(aRefresh, secret), scopes, targets)
		return refusal, err
	})
	if err != nil {
		return uma.TokenResponse{}, err // and never what a run made that was not kept
	}
	s.noteIssued(signed)
	return answer, nil
}

func (s *Server) refresh(tx Tx, c oauth.Client, bound oauth.Confirmation, digest Digest, scopes []uma.Scope, targets []string) (answer uma.TokenResponse, signed *signing, refusal *uma.Error, err error) {
	t, err := tx.RefreshToken(digest)
	if errors.Is(err, ErrNotFound) {
		return answer, nil, errInvalidRefresh, nil
	}
	if err != nil {
		return answer, nil, nil, err
	}
	g, err := tx.GrantState(t.Grant)
	if errors.Is(err, ErrNotFound) {
		return answer, nil, errInvalidRefresh, nil
	}
	if err != nil {
		return answer, nil, nil, err
	}
	if g.Client != c.ID || t.BoundTo != "" && t.BoundTo != bound {
		return answer, nil, errInvalidRefresh, nil // and nothing happens to the family of another client
	}
	if !t.SpentAt.IsZero() {
		return answer, nil, errInvalidRefresh, s.refreshReplayed(tx, g)
	}
	if !g.live() || !s.now().Before(t.ExpiresAt) {
		return answer, nil, errInvalidRefresh, nil
	}
	if refusal, err := s.checkTargets(tx, g.Grant, targets); err != nil || refusal != nil {
		return answer, nil, refusal, err
	}
	granted, life, ends := g.Scopes, s.Lifetimes.PAT, time.Time{}
	switch g.Kind {
	case GrantOAuth:
		// What the client is no longer registered for it gets no more of.
		if granted = intersect(g.Scopes, c.Scopes); len(granted) == 0 && len(g.Scopes) > 0 {
			return answer, nil, errInvalidRefresh, nil
		}
	case GrantUMA:
		if seeded.RefreshRevivesWithdrawn {
			g.ID = GrantID(s.vault.id(s.now()))
			for i := range g.Permissions {
				g.Permissions[i].Share = ""
			}
			if err := tx.InsertGrant(g.Grant); err != nil {
				return answer, nil, nil, err
			}
		}
		states, err := tx.PermissionsOf(g.Grant)
		if err != nil {
			return answer, nil, nil, err
		}
		live := s.livePermissions(states, nil)
		if len(live) == 0 {
			return answer, nil, errInvalidRefresh, nil
		}
		granted, life, ends = scopesOf(live), s.Lifetimes.RPT, lastEnd(live, t.ExpiresAt)
	}
	if len(without(scopes, granted)) > 0 {
		return answer, nil, uma.NewError(uma.InvalidScope, "A requested scope was not granted."), nil
	}
	if g.Kind == GrantOAuth {
		if scopes == nil && len(granted) < len(g.Scopes) {
			scopes = granted
		}
		answer.Scope = uma.JoinScopes(granted)
		if scopes != nil {
			answer.Scope = uma.JoinScopes(scopes)
		}
	}
	next := issuance{client: &c, grant: g.Grant, boundTo: bound, narrowed: scopes, life: life, ends: ends}
	if err := next.signs(tx); err != nil {
		return answer, nil, nil, err
	}
	if t.BoundTo != "" || c.Keyed() {
		return answer, next.signed, nil, s.reissue(tx, &answer, next)
	}
	if _, err := tx.SpendRefreshToken(digest, s.now()); errors.Is(err, ErrNotFound) {
		return answer, nil, errInvalidRefresh, nil
	} else if err != nil {
		return answer, nil, nil, err
	}
	next.renews = true
	return answer, next.signed, nil, s.reissue(tx, &answer, next)
}

func (s *Server) refreshReplayed(tx Tx, g GrantState) error {
	return s.familyReplayed(tx, g, EventRefreshReplayed, string(g.Client))
}

// familyReplayed revokes what began with something that was used twice, and tells
// of it. Once it is revoked there is only somebody who still tries.
func (s *Server) familyReplayed(tx Tx, g GrantState, kind, client string) error {
	if !g.RevokedAt.IsZero() {
		return s.recordRefusal(tx, g.Space, kind, client, string(g.ID), nil)
	}
	if err := tx.RevokeGrant(g.ID, s.now()); err != nil {
		return err
	}
	return s.record(tx, g.Space, kind, client, string(g.ID), nil)
}

// Revoke makes a token useless at once (RFC 7009, Grant 3.7): an access token
// alone, a refresh token with its whole grant, a PCT. The hint only says where
// to look first, so a wrong one changes nothing; tokens of another client, and
// strings that are no token, are left alone without a word.
func (s *Server) Revoke(ctx context.Context, c oauth.Client, token string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		for _, revoke := range []func(Tx, oauth.Client, string) (SpaceID, string, error){
			s.revokeAccess, s.revokeRefresh, s.revokePCT,
		} {
			space, what, err := revoke(tx, c, token)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			return s.record(tx, space, EventTokenRevoked, string(c.ID), what, nil)
		}
		return nil
	})
}

func (s *Server) revokeAccess(tx Tx, c oauth.Client, token string) (SpaceID, string, error) {
	digest := s.vault.datedDigest(anAccess, token)
	t, err := tx.AccessToken(digest)
	if err != nil {
		return "", "", err
	}
	g, err := tx.GrantState(t.Grant)
	if err != nil || g.Client != c.ID || !t.RevokedAt.IsZero() {
		return "", "", cmp.Or(err, ErrNotFound)
	}
	return g.Space, string(g.ID), tx.RevokeAccessToken(digest, s.now())
}

func (s *Server) revokeRefresh(tx Tx, c oauth.Client, token string) (SpaceID, string, error) {
	t, err := tx.RefreshToken(s.vault.datedDigest(aRefresh, token))
	if err != nil {
		return "", "", err
	}
	g, err := tx.GrantState(t.Grant)
	if err != nil || g.Client != c.ID || !g.RevokedAt.IsZero() {
		return "", "", cmp.Or(err, ErrNotFound)
	}
	return g.Space, string(g.ID), tx.RevokeGrant(g.ID, s.now())
}

func (s *Server) revokePCT(tx Tx, c oauth.Client, token string) (SpaceID, string, error) {
	digest := s.vault.digest(aPCT, token)
	pct, err := tx.PCT(digest)
	if err != nil {
		return "", "", err
	}
	if pct.Client != c.ID {
		return "", "", ErrNotFound
	}
	_, err = tx.SpendPCT(digest, s.now())
	return "", pct.Subject, err
}
