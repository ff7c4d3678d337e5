package endpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// keyedClient registers a client that authenticates with a key.
func (w *world) keyedClient() (oauth.Client, oauth.Key) {
	w.t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, oauth.DefaultAlgorithm)
	w.must(err)
	jwks, err := oauth.KeySet{key}.Public()
	w.must(err)
	c, secret, err := w.AS.RegisterClient(context.Background(), oauth.Client{
		ID: "keyed", AuthMethod: oauth.AuthKey, JWKS: jwks, GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken}, Scopes: []uma.Scope{"view"},
	})
	w.must(err)
	if secret != "" {
		w.t.Error("a client with a key was given a secret")
	}
	return c, key
}

func (w *world) assertion(c oauth.Client, key oauth.Key, id string) string {
	w.t.Helper()
	token, err := oauth.Sign(key, "client-authentication+jwt", map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": w.Issuer, "jti": id, "iat": w.Clock.Now().Unix(), "exp": w.Clock.Now().Add(time.Minute).Unix(),
	})
	w.must(err)
	return token
}

func asserted(values url.Values, assertion string) url.Values {
	values.Set("client_assertion_type", oauth.AssertionType)
	values.Set("client_assertion", assertion)
	return values
}

// A client proves itself with its key at every endpoint where clients do, and each
// proof is good once.
//
// Proves SEC-087.
func TestAClientAuthenticatesWithItsKey(t *testing.T) {
	w := newWorld(t)
	c, key := w.keyedClient()
	pat, id := w.gallery()
	redeem := func(assertion string) answer {
		return w.ask(pathToken, "", asserted(url.Values{"grant_type": {uma.GrantType}, "ticket": {string(w.ticketFor(pat, id, "view"))}}, assertion))
	}
	first := w.assertion(c, key, "first")
	granted := redeem(first)
	wantStatus(t, granted, http.StatusOK)
	wantError(t, redeem(first), http.StatusUnauthorized, uma.InvalidClient)
	wantStatus(t, redeem(w.assertion(c, key, "second")), http.StatusOK)
	rpt := granted.json(t)["access_token"].(string)
	wantStatus(t, w.ask(pathIntrospect, "", asserted(url.Values{"token": {rpt}}, w.assertion(c, key, "third"))), http.StatusOK)
	wantStatus(t, w.ask(pathRevoke, "", asserted(url.Values{"token": {rpt}}, w.assertion(c, key, "fourth"))), http.StatusOK)
	// Its id alone, or somebody's secret, is no proof.
	wantError(t, w.ask(pathToken, "", url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}, "client_id": {string(c.ID)}}), http.StatusUnauthorized, uma.InvalidClient)
	wantError(t, w.ask(pathToken, "", url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}, "client_id": {string(c.ID)}, "client_secret": {"x"}}), http.StatusUnauthorized, uma.InvalidClient)
}

// Of many who show one assertion at the same time, at two servers on one store,
// one is authenticated.
//
// Proves SEC-087.
func TestAnAssertionIsGoodOnceOnEveryNode(t *testing.T) {
	w := newWorld(t)
	c, key := w.keyedClient()
	other, err := as.New(context.Background(), w.AS.Config)
	w.must(err)
	for round := range 5 {
		token := w.assertion(c, key, fmt.Sprint("round ", round))
		var mu sync.Mutex
		var all sync.WaitGroup
		accepted := 0
		for i := range 32 {
			node := []*as.Server{w.AS, other}[i%2]
			all.Go(func() {
				_, err := node.AuthenticateClient(context.Background(), oauth.Credentials{ID: c.ID, Assertion: token, Method: oauth.AuthKey})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					accepted++
				}
			})
		}
		all.Wait()
		if accepted != 1 {
			t.Errorf("%d were authenticated by one assertion", accepted)
		}
	}
}
