package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Introspect tells a resource server what an RPT permits now (FedAuthz 5.1.1).
// A token that is unknown, expired, revoked, not an RPT, or good for another
// owner or another resource server gives the same answer: inactive.
func (s *Server) Introspect(ctx context.Context, pat PAT, token string) (uma.Introspection, error) {
	return s.introspect(ctx, token, func(g Grant) bool {
		return g.Kind == GrantUMA && g.Space == pat.Space && g.ResourceServer == pat.ResourceServer
	})
}

// IntrospectAsClient is for a caller that authenticated as a client (RFC 7662
// 2.1): a resource server sees the RPTs that are good at it, whoever the owner
// is (AMB-22), and any client sees its own OAuth access tokens.
func (s *Server) IntrospectAsClient(ctx context.Context, c oauth.Client, token string) (uma.Introspection, error) {
	return s.introspect(ctx, token, func(g Grant) bool {
		return g.Kind == GrantUMA && g.ResourceServer == c.ID || g.Kind == GrantOAuth && g.Client == c.ID
	})
}

func (s *Server) introspect(ctx context.Context, token string, entitled func(Grant) bool) (uma.Introspection, error) {
	var answer uma.Introspection
	err := s.Store.View(ctx, func(r Reader) error {
		answer = uma.Introspection{}
		t, g, err := s.liveToken(r, token)
		if errors.Is(err, ErrNotFound) || err == nil && !entitled(g) {
			return nil
		}
		if err != nil {
			return err
		}
		active := uma.Introspection{
			Active: true, TokenType: tokenTypeBearer, ClientID: string(g.Client), Issuer: s.Issuer,
			IssuedAt: t.CreatedAt.Unix(), ExpiresAt: t.ExpiresAt.Unix(),
		}
		if g.Kind == GrantOAuth {
			active.Scope, active.Subject = uma.JoinScopes(t.scopes(g)), string(g.Account)
			answer = active
			return nil
		}
		states, err := r.PermissionsOf(g.ID)
		if err != nil {
			return err
		}
		if live := s.livePermissions(states, g, t.Scopes); len(live) > 0 {
			active.Permissions = introspected(live)
			answer = active
		}
		return nil
	})
	return answer, err
}

// livePermissions keeps what is still permitted: its time not over, the share,
// resource and space at the generation it was made under, its scopes still
// registered and, if the token is narrowed, still wanted.
func (s *Server) livePermissions(states []PermissionState, g Grant, narrowed []uma.Scope) []Permission {
	var out []Permission
	for _, p := range states {
		if !s.permissionLive(p, g) {
			continue
		}
		scopes := intersect(p.Scopes, p.ResourceScopes)
		if narrowed != nil {
			scopes = intersect(scopes, narrowed)
		}
		if len(scopes) == 0 && len(p.Scopes) > 0 {
			continue // nothing is left of it; a zero-scope permission is another thing
		}
		p.Permission.Scopes = scopes
		out = append(out, p.Permission)
	}
	return out
}

func (s *Server) permissionLive(p PermissionState, g Grant) bool {
	return (p.NotAfter.IsZero() || s.now().Before(p.NotAfter)) &&
		p.Space == g.Space && p.ResourceServer == g.ResourceServer && p.SpaceGeneration == g.SpaceGeneration &&
		p.ShareLive && p.ShareGeneration == p.CurrentShareGeneration &&
		p.ResourceLive && p.ResourceGeneration == p.CurrentResourceGeneration
}

// introspected merges the permissions of one resource into one entry. Where
// they end at different times the entry ends at the earliest: after that, the
// next introspection tells what is left.
func introspected(live []Permission) []uma.IntrospectedPermission {
	out := []uma.IntrospectedPermission{}
next:
	for _, p := range live {
		for i := range out {
			if out[i].Resource != p.Resource {
				continue
			}
			out[i].Scopes = union(out[i].Scopes, p.Scopes)
			out[i].ExpiresAt = earliest(out[i].ExpiresAt, p.NotAfter)
			continue next
		}
		out = append(out, uma.IntrospectedPermission{
			Resource: p.Resource, Scopes: union(p.Scopes, nil), ExpiresAt: earliest(0, p.NotAfter), IssuedAt: p.CreatedAt.Unix(),
		})
	}
	return out
}

// earliest returns the earlier end in seconds, where 0 and the zero time are
// no end.
func earliest(a int64, b time.Time) int64 {
	if b.IsZero() || a != 0 && a < b.Unix() {
		return a
	}
	return b.Unix()
}

func scopesOf(live []Permission) []uma.Scope {
	var out []uma.Scope
	for _, p := range live {
		out = union(out, p.Scopes)
	}
	return out
}

// lastEnd is when the last of the permissions ends, within bound.
func lastEnd(live []Permission, bound time.Time) time.Time {
	var end time.Time
	for _, p := range live {
		end = later(end, p.NotAfter, bound)
	}
	return end
}
