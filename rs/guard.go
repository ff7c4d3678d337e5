package rs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// Grant is what a request was let through with.
type Grant struct {
	Owner Owner
	Needs []Need // what Route asked for, all of it permitted
	// Introspection is all that the authorization server said about the RPT,
	// under its own ids. It may permit more than this request needed.
	Introspection uma.Introspection
}

type grantKey struct{}

// FromContext returns what the request was let through with. There is nothing
// for an unprotected request.
func FromContext(ctx context.Context) (Grant, bool) {
	g, ok := ctx.Value(grantKey{}).(Grant)
	return g, ok
}

// Guard lets a request through to next when Route says that it is unprotected,
// or when its RPT permits all it needs. Otherwise it answers itself:
//
//   - 401 with the UMA challenge and a new permission ticket, when there is no
//     RPT or it does not permit this request (Grant 3.2.1, 3.5);
//   - 403 with "Warning: 199", when the authorization server could not be
//     asked (Grant 3.2.2), and 403 when Route refuses;
//   - 401 without a ticket, when the RPT permits it and is bound to a key that the
//     request does not prove to have (RFC 9449, RFC 8705);
//   - 400, when the path has more than one reading, or two Authorization
//     headers came.
func (s *Server) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := canonical(r)
		if err != nil {
			problem(w, http.StatusBadRequest, "The path of the request is not in its plain form.")
			return
		}
		access, err := s.route(r)
		if err == nil && access.Unprotected == (len(access.Needs) > 0) {
			err = errors.New("rs: Route has to say either Unprotected or what the request needs")
			s.alarm(r.Context(), access.Owner, err)
		}
		if err != nil {
			problem(w, http.StatusForbidden, "The request is not permitted here.")
			return
		}
		if access.Unprotected {
			next.ServeHTTP(w, r)
			return
		}
		rpt, err := tokenIn(r.Header)
		if err != nil {
			problem(w, http.StatusBadRequest, "There is more than one Authorization header, or DPoP proof.")
			return
		}
		v, err := s.judge(r.Context(), access, rpt.token)
		if v.grant != nil {
			err = s.holds(r, rpt, v.grant.Introspection.Bound)
		}
		switch {
		case errors.Is(err, errHolder):
			refuseHolder(w)
		case err != nil:
			s.alarm(r.Context(), access.Owner, err)
			w.Header().Set("Warning", uma.WarningUnreachable)
			problem(w, http.StatusForbidden, "The authorization server could not be asked.")
		case v.grant != nil:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), grantKey{}, *v.grant)))
		default:
			challenge := uma.Challenge{ASURI: s.issuer, Ticket: v.ticket, Realm: s.realm}
			w.Header().Set("WWW-Authenticate", challenge.String())
			problem(w, http.StatusUnauthorized, "Permission is needed. The WWW-Authenticate header says where to ask for it.")
		}
	})
}

// verdict is a grant, or the ticket with which one can be sought.
type verdict struct {
	grant  *Grant
	ticket uma.Ticket
}

// judge finds out whether the token permits the access. Every error means that
// it could not be found out.
func (s *Server) judge(ctx context.Context, access Access, token uma.RPT) (verdict, error) {
	wanted, err := s.resolve(ctx, access)
	if err != nil {
		return verdict{}, err
	}
	if token != "" {
		in, ok, err := s.permitted(ctx, access.Owner, token, wanted)
		if err != nil {
			return verdict{}, err
		}
		if ok {
			return verdict{grant: &Grant{Owner: access.Owner, Needs: access.Needs, Introspection: in}}, nil
		}
	}
	ticket, err := s.api.ticket(ctx, access.Owner, wanted)
	if e := (*uma.Error)(nil); errors.As(err, &e) && e.Code == uma.InvalidResourceID {
		ticket, err = s.healAndAsk(ctx, access, err)
	}
	return verdict{ticket: ticket}, err
}

// resolve turns the resource server's keys into the ids of registered
// resources, and checks that the scopes are registered, too (FedAuthz 4.1).
func (s *Server) resolve(ctx context.Context, access Access) ([]uma.Permission, error) {
	var out []uma.Permission
	at := map[uma.ResourceID]int{}
	for _, need := range access.Needs {
		e, ok, err := s.registry.Lookup(ctx, access.Owner, need.Resource)
		if err != nil {
			return nil, err
		}
		if !ok || e.Issuer != s.issuer {
			return nil, fmt.Errorf("rs: the resource %q is not registered", need.Resource)
		}
		i, seen := at[e.ID]
		if !seen {
			i = len(out)
			at[e.ID] = i
			out = append(out, uma.Permission{Resource: e.ID, Scopes: []uma.Scope{}})
		}
		for _, scope := range need.Scopes {
			if !slices.Contains(e.Resource.Scopes, scope) {
				return nil, fmt.Errorf("rs: the resource %q is registered without the scope %q", need.Resource, scope)
			}
			if !slices.Contains(out[i].Scopes, scope) {
				out[i].Scopes = append(out[i].Scopes, scope)
			}
		}
	}
	return out, nil
}

// permitted says whether the token permits everything that is wanted now. A
// remembered introspection may open the door; that the door stays shut is said
// only by the authorization server itself.
func (s *Server) permitted(ctx context.Context, owner Owner, token uma.RPT, wanted []uma.Permission) (uma.Introspection, bool, error) {
	key := keyOf(owner, token)
	if in, ok := s.cache.get(key); ok && s.permitsAll(in, wanted) {
		return in, true, nil
	}
	in, err := s.cache.once(ctx, key, func(ctx context.Context) (uma.Introspection, error) {
		return s.api.introspect(ctx, owner, token)
	})
	return in, err == nil && s.permitsAll(in, wanted), err
}

// permitsAll compares every resource with all its scopes: one permission out of
// several, or one scope out of several, is not enough.
func (s *Server) permitsAll(in uma.Introspection, wanted []uma.Permission) bool {
	for _, p := range wanted {
		if !in.Permits(p.Resource, p.Scopes, s.now()) {
			return false
		}
	}
	return in.Active && len(wanted) > 0
}

// healPause is the least time between two attempts to repair what is
// registered for an owner. Anybody can cause them.
const healPause = time.Minute

// healAndAsk registers anew what the authorization server has forgotten of what
// we remember, and asks for the ticket once more.
func (s *Server) healAndAsk(ctx context.Context, access Access, cause error) (uma.Ticket, error) {
	if !s.healed.due(access.Owner, s.now(), healPause) {
		return "", cause
	}
	if err := s.heal(ctx, access.Owner); err != nil {
		return "", errors.Join(cause, err)
	}
	wanted, err := s.resolve(ctx, access)
	if err != nil {
		return "", err
	}
	return s.api.ticket(ctx, access.Owner, wanted)
}

func (s *Server) heal(ctx context.Context, owner Owner) error {
	defer s.syncing.lock(owner)()
	remembered, err := s.registry.Load(ctx, owner)
	if err != nil {
		return err
	}
	want := make(map[string]Resource, len(remembered))
	for key, e := range remembered {
		want[key] = e.Resource
	}
	return s.sync(ctx, owner, want, false) // nobody decided that anything has to go
}

var errTwoTokens = errors.New("rs: more than one Authorization header")

// maxToken is the longest RPT that is worth a question.
const maxToken = 8 << 10

// tokenIn returns the RPT of the Authorization header (RFC 6750 2.1, RFC 9449 7.1),
// the only place where one counts. What is no such token is as good as none.
func tokenIn(h http.Header) (shown, error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return shown{}, errTwoTokens
	}
	if len(h.Values("DPoP")) > 1 {
		return shown{}, errTwoProofs
	}
	if len(values) == 0 {
		return shown{}, nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	bound := strings.EqualFold(scheme, "DPoP")
	if !bound && !strings.EqualFold(scheme, "Bearer") || len(token) > maxToken || strings.ContainsFunc(token, notToken68) {
		return shown{}, nil
	}
	return shown{uma.RPT(token), bound}, nil
}

// notToken68 says whether a character is outside of RFC 6750's b64token.
func notToken68(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-._~+/=", c))
}

// problem answers with a problem document (RFC 9457).
func problem(w http.ResponseWriter, status int, detail string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
