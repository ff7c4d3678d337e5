package as_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// jwksSite is a claims provider's jwks_uri.
type jwksSite struct {
	fetched atomic.Int64
	set     atomic.Pointer[json.RawMessage] // nil: the site is down
}

func (s *jwksSite) RoundTrip(req *http.Request) (*http.Response, error) {
	s.fetched.Add(1)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	set := s.set.Load()
	if set == nil {
		return nil, errors.New("the provider is down")
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/jwk-set+json"}},
		Body: io.NopCloser(bytes.NewReader(*set)), Request: req,
	}, nil
}

func (s *jwksSite) publish(w *world, keys ...oauth.Key) {
	w.t.Helper()
	set, err := oauth.KeySet(keys).Public()
	w.must(err)
	s.set.Store(&set)
}

// newSiteWorld is a world whose claims provider publishes its keys on a site.
func newSiteWorld(t *testing.T) (*world, *jwksSite, uma.ResourceID) {
	site := new(jwksSite)
	w := newWorld(t, func(c *as.Config) {
		c.ClaimIssuers = []as.ClaimIssuer{{Issuer: provider, JWKSURI: provider + "/jwks"}}
		c.Fetch = &http.Client{Transport: site}
	})
	site.publish(w, w.key)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	return w, site, album
}

// A provider's keys are fetched once and used for a while; a new key is seen
// when a token names it, and junk does not make the server ask again and again.
func TestAProvidersKeysAreFetchedSeldom(t *testing.T) {
	t.Parallel()
	w, site, album := newSiteWorld(t)
	for range 5 {
		w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	}
	if n := site.fetched.Load(); n != 1 {
		t.Errorf("for five tokens the keys were fetched %d times", n)
	}
	old := w.key
	var err error
	w.key, err = oauth.GenerateKey(rand.Reader, oauth.ES256)
	w.must(err)
	site.publish(w, old, w.key)
	redeemed[as.NeedInfo](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.advance(30 * time.Second)
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.key, err = oauth.GenerateKey(rand.Reader, oauth.ES256)
	w.must(err)
	for range 10 {
		redeemed[as.NeedInfo](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	}
	if n := site.fetched.Load(); n != 2 {
		t.Errorf("the keys were fetched %d times, want twice", n)
	}
}

// A provider that is down makes its tokens count for nothing, and breaks
// nothing else.
//
// Proves SEC-043, GRANT-3.3.6-06.
func TestAProviderThatIsDownLeadsToNeedInfo(t *testing.T) {
	t.Parallel()
	w, site, album := newSiteWorld(t)
	good := *site.set.Load()
	site.set.Store(nil)
	for range 5 {
		redeemed[as.NeedInfo](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	}
	if n := site.fetched.Load(); n != 1 {
		t.Errorf("a provider that is down was asked %d times at once", n)
	}
	w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false)))
	site.set.Store(&good)
	w.advance(30 * time.Second)
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	bad := json.RawMessage(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`)
	site.set.Store(&bad)
	w.advance(10 * time.Minute)
	redeemed[as.NeedInfo](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
}

// A claim issuer is configured wholly or not at all.
//
// Proves SEC-122.
func TestAClaimIssuerWithoutKeysIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jwks, err := oauth.KeySet{w.key}.Public()
	w.must(err)
	for name, issuers := range map[string][]as.ClaimIssuer{
		"without an identifier": {{JWKS: jwks}}, "without keys": {{Issuer: provider}}, "with broken keys": {{Issuer: provider, JWKS: []byte("{}")}},
		"with a shared secret": {{Issuer: provider, JWKS: []byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`)}},
		"without a way out":    {{Issuer: provider, JWKSURI: provider + "/jwks"}}, "twice": {{Issuer: provider, JWKS: jwks}, {Issuer: provider, JWKS: jwks}},
	} {
		config := w.Config
		config.ClaimIssuers = issuers
		if _, err := as.New(w.ctx, config); err == nil {
			t.Errorf("a claim issuer %s is accepted", name)
		}
	}
	for name, change := range map[string]func(*as.Config){
		"without an issuer": func(c *as.Config) { c.Issuer = "" }, "without a store": func(c *as.Config) { c.Store = nil },
		"without secrets": func(c *as.Config) { c.Secrets = as.Secrets{} }, "with an unknown way of partial grants": func(c *as.Config) { c.Partial = "always" },
		"with a policy that permits": func(c *as.Config) { c.Forbids = `permit (principal, action, resource);` },
		"with a broken policy":       func(c *as.Config) { c.Forbids = `forbid (` },
	} {
		config := w.Config
		change(&config)
		if _, err := as.New(context.Background(), config); err == nil {
			t.Errorf("a server %s starts", name)
		}
	}
}

// The server's own ID token is believed from the client it was made for, and
// what it led to ends with its account.
//
// Proves SEC-046, SEC-092.
func TestAnIDTokenOfThisServerCountsForItsClientOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app
	c.GrantTypes = append(c.GrantTypes, uma.GrantType)
	c.PushClaims = true
	c.Scopes = append(c.Scopes, oauth.ScopeEmail)
	c, _, err := w.RegisterClient(w.ctx, c)
	w.must(err)
	annas := w.register(w.anna1, "Anna's", "view")
	w.share(w.annaOwner, toEmail("alice@example.org", annas, "view"))
	idToken := func(scopes ...uma.Scope) string {
		code, verifier := w.code(c, scopes...)
		answer, err := w.ExchangeCode(w.ctx, c, code, "", verifier)
		w.must(err)
		return answer.IDToken
	}
	token := idToken(oauth.ScopeOpenID, oauth.ScopeEmail)
	redeemed[as.NeedInfo](w, w.c1, withToken(w.ticket(w.anna1, perm(annas, "view")), token))
	redeemed[as.NeedInfo](w, c, withToken(w.ticket(w.anna1, perm(annas, "view")), idToken(oauth.ScopeOpenID)))
	g := w.granted(c, withToken(w.ticket(w.anna1, perm(annas, "view")), token))
	w.wantPermissions(w.anna1, g.AccessToken, perm(annas, "view"))
	w.must(w.DisableAccount(w.ctx, w.alice.ID))
	w.wantDead(w.anna1, g.AccessToken)
	if again, ok := w.redeem(c, withToken(w.ticket(w.anna1, perm(annas, "view")), token)).(as.Granted); ok {
		w.wantDead(w.anna1, again.AccessToken)
		_, err := w.Refresh(w.ctx, c, again.RefreshToken, nil)
		wantCode(t, err, uma.InvalidGrant)
	}
}
