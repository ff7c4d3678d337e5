package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// away is a store that cannot be reached while it is told so.
type away struct {
	as.Store
	gone *atomic.Bool
}

func (s away) View(ctx context.Context, f func(as.Reader) error) error {
	if s.gone.Load() {
		return as.ErrUnavailable
	}
	return s.Store.View(ctx, f)
}

func (s away) Update(ctx context.Context, f func(as.Tx) error) error {
	if s.gone.Load() {
		return as.ErrUnavailable
	}
	return s.Store.Update(ctx, f)
}

func (s away) Current() bool { return !s.gone.Load() }

// Without its database the server says that it is unavailable and when to come
// again. It does not say yes, and it does not say that a token is inactive, which
// it cannot know.
//
// Proves SEC-043, SEC-093.
func TestWithoutItsDatabaseTheServerSaysThatItIsUnavailable(t *testing.T) {
	var gone atomic.Bool
	w := newWorld(t, func(c *as.Config) { c.Store = away{c.Store, &gone} })
	pat, photo := w.gallery()
	ticket := w.ticketFor(pat, photo, "view")
	gone.Store(true)
	for name, got := range map[string]answer{
		"a ticket":         w.postTicket(w.C1, ticket),
		"a revocation":     w.ask("/revoke", "", url.Values{"token": {"some token"}, "client_id": {string(w.Public.ID)}}),
		"an introspection": w.ask("/introspect", pat, url.Values{"token": {"some token"}}),
		"a permission":     w.api(http.MethodPost, "/uma/permission", pat, `{"resource_id":"x","resource_scopes":[]}`),
		"a resource":       w.api(http.MethodGet, "/uma/resources/"+string(photo), pat, ""),
	} {
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q: %s", name, got.StatusCode, got.Header.Get("Retry-After"), got.Body)
		}
		if got.json(t)["error"] != string(uma.TemporarilyUnavailable) {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	gone.Store(false)
	if got := w.postTicket(w.C1, ticket); got.StatusCode >= 500 {
		t.Errorf("when the database is back: %d %s", got.StatusCode, got.Body)
	}
}
