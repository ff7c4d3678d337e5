package as

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Introspect tells a resource server what an RPT permits now (FedAuthz 5.1.1).
// A token that is unknown, expired, revoked, not an RPT, or good for another
// owner or another resource server gives the same answer: inactive.
func (s *Server) Introspect(ctx context.Context, pat PAT, token string) (uma.Introspection, error) {
	return read(s.IntrospectJSON(ctx, pat, token))
}

// IntrospectJSON is Introspect with the answer written, as it is remembered.
func (s *Server) IntrospectJSON(ctx context.Context, pat PAT, token string) ([]byte, error) {
	key := keyOf("pat", string(pat.Space), string(pat.ResourceServer), token)
	if answer, ok := s.answered(key); ok {
		return answer, nil
	}
	return s.introspect(ctx, token, key, func(g Grant) bool {
		return g.Kind == GrantUMA && (g.Space == pat.Space || seeded.OwnerCheckMissing) &&
			(g.ResourceServer == pat.ResourceServer || seeded.PATLeaksBetweenResourceServers)
	})
}

// IntrospectAsClient is for a caller that authenticated as a client (RFC 7662
// 2.1): a resource server sees the RPTs that are good at it, whoever the owner
// is (AMB-22), and any client sees its own OAuth access tokens.
func (s *Server) IntrospectAsClient(ctx context.Context, c oauth.Client, token string) (uma.Introspection, error) {
	return read(s.IntrospectAsClientJSON(ctx, c, token))
}

// IntrospectAsClientJSON is IntrospectAsClient with the answer written.
func (s *Server) IntrospectAsClientJSON(ctx context.Context, c oauth.Client, token string) ([]byte, error) {
	key := keyOf("client", string(c.ID), token)
	if answer, ok := s.answered(key); ok {
		return answer, nil
	}
	return s.introspect(ctx, token, key, func(g Grant) bool {
		return g.Kind == GrantUMA && g.ResourceServer == c.ID || g.Kind == GrantOAuth && g.Client == c.ID
	})
}

func read(answer []byte, err error) (i uma.Introspection, _ error) {
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(answer, &i)
}

// answered is the last answer to this asker about this token, if it still holds.
func (s *Server) answered(key packedKey) ([]byte, bool) {
	if !s.Store.Current() {
		return nil, false
	}
	content, ok := s.memory.answers.get(s.memory, key, s.now(), nil)
	if !ok {
		return nil, false
	}
	use, content := packedKey(content[:len(key)]), content[len(key):]
	size, n := binary.Uvarint(content)
	s.noteUse(use, content[n:][:size])
	return content[n:][size:], true
}

// introspect answers whom entitled lets through, and remembers the answer.
func (s *Server) introspect(ctx context.Context, token string, key packedKey, entitled func(Grant) bool) ([]byte, error) {
	digest := s.vault.datedDigest(anAccess, token)
	var found introspected
	position := s.memory.now()
	err := s.Store.View(ctx, func(r Reader) (err error) {
		found, err = s.lookUp(r, digest, entitled)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(found.answer)
	if err != nil {
		return nil, err
	}
	if found.answer.Active {
		use := keyOf(string(found.used))
		s.noteUse(use, found.used)
		content := append(append(binary.AppendUvarint(use[:], uint64(len(found.used))), found.used...), answer...)
		s.memory.answers.put(s.memory, key, content, position, found.until, s.memory.hashes(found.dependencies...))
	}
	return answer, nil
}

// introspected is an answer, the instant from which it may be another, and what
// it depends on.
type introspected struct {
	answer       uma.Introspection
	until        time.Time
	dependencies []Change
	used         []byte // what the token is used for; nil when that is not noted
}

// noteUse notes that an RPT was asked about and is live.
func (s *Server) noteUse(key packedKey, used []byte) {
	if len(used) > 0 {
		s.uses.note(key, used, s.now())
	}
}

func (s *Server) lookUp(r Reader, digest Digest, entitled func(Grant) bool) (introspected, error) {
	b, err := readBearer(r, digest)
	if errors.Is(err, ErrNotFound) || err == nil && (!s.live(b) || !entitled(b.grant.Grant)) {
		return introspected{}, nil
	}
	if err != nil {
		return introspected{}, err
	}
	t, g := b.token, b.grant
	found := introspected{
		answer: uma.Introspection{
			Active: true, TokenType: tokenType(t.BoundTo), Bound: t.BoundTo.Members(), ClientID: string(g.Client), Issuer: s.Issuer,
			IssuedAt: t.CreatedAt.Unix(), ExpiresAt: t.ExpiresAt.Unix(),
		},
		until:        t.ExpiresAt,
		dependencies: append(g.dependencies(), ChangedToken(digest)),
	}
	if g.Kind == GrantOAuth {
		found.answer.Audience = s.Issuer
		found.answer.Scope, found.answer.Subject = uma.JoinScopes(t.scopes(g.Grant)), string(g.Account)
		return found, nil
	}
	found.answer.Audience = string(g.ResourceServer)
	states, err := r.PermissionsOf(g.Grant)
	if err != nil {
		return introspected{}, err
	}
	live := s.livePermissions(states, t.Scopes)
	if len(live) == 0 {
		return introspected{}, nil
	}
	if !seeded.PermissionsMissing {
		found.answer.Permissions = merged(live)
	}
	found.used = usedPermissions(g.Grant, live)
	found.dependencies = append(found.dependencies, ChangedServer(g.Space, g.ResourceServer), ChangedClient(g.ResourceServer))
	for _, p := range live {
		found.until = sooner(found.until, p.NotAfter)
		found.dependencies = append(found.dependencies, ChangedResource(p.Resource), ChangedShare(p.Share))
		if p.Group != "" {
			found.dependencies = append(found.dependencies, ChangedGroup(p.Group))
		}
	}
	return found, nil
}

// livePermissions keeps what is still permitted under a live grant: its time not
// over, the share and the resource at the generation it was made under, its scopes still
// registered and, if the token is narrowed, still wanted.
func (s *Server) livePermissions(states []PermissionState, narrowed []uma.Scope) []Permission {
	var out []Permission
	for _, p := range states {
		if !s.permissionLive(p) {
			continue
		}
		scopes := intersect(p.Scopes, p.ResourceScopes)
		if seeded.ScopeFilterMissing {
			scopes = p.Scopes
		}
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

func (s *Server) permissionLive(p PermissionState) bool {
	if (seeded.NoPolicyPermits || seeded.ZeroScopeGranted || seeded.RefreshRevivesWithdrawn) && p.Share == "" {
		p.ShareLive, p.CurrentShareGeneration = true, p.ShareGeneration
	}
	return (p.NotAfter.IsZero() || s.now().Before(p.NotAfter)) &&
		p.ShareLive && p.ShareGeneration == p.CurrentShareGeneration && p.MemberLive &&
		p.ResourceLive && p.ResourceGeneration == p.CurrentResourceGeneration
}

// merged merges the permissions of one resource into one entry. Where
// they end at different times the entry ends at the earliest: after that, the
// next introspection tells what is left.
func merged(live []Permission) []uma.IntrospectedPermission {
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
