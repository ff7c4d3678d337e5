package as_test

import (
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

// A key that somebody else may have is nobody's at once: no node publishes it, signs
// with it or believes what it signed, and another signs from that moment on.
//
// Proves SEC-124.
func TestACompromisedKeyIsTakenBackAtOnceByEveryNode(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*world){
		"the only key":              func(*world) {},
		"the key before a rotation": func(w *world) { w.must(w.RotateKeys(w.ctx)) },
	} {
		w := newWorld(t)
		before(w)
		other := w.beside(1)[0]
		stolen := slices.MinFunc(w.signingKeys(), func(a, b as.SigningKey) int { return a.ActiveFrom.Compare(b.ActiveFrom) }).ID
		idToken := func(s *as.Server) string {
			code, verifier := w.code(w.app, oauth.ScopeOpenID)
			answer, err := s.ExchangeCode(w.ctx, w.app, code, "", verifier)
			w.must(err)
			return answer.IDToken
		}
		verified := func(s *as.Server, token string) error {
			raw, err := s.JWKS(w.ctx)
			w.must(err)
			keys, err := oauth.ParseJWKS(raw)
			w.must(err)
			_, err = oauth.VerifyIDToken(token, keys, oauth.IDTokenExpectation{Issuer: issuer, Audiences: []string{"app"}, Now: w.Now()})
			return err
		}
		old := idToken(w.Server)
		w.must(verified(w.Server, old))
		hint := as.LogoutParameters{IDTokenHint: old}
		if r, err := w.LogoutRequest(w.ctx, "", hint); err != nil || !r.Hinted {
			t.Fatalf("%s: the hint is not believed before: %+v, %v", name, r, err)
		}
		w.advance(time.Second)
		restarted := w.beside(1, func(c *as.Config) { c.CompromisedKeys = []string{stolen, "a key that never was"} })[0]
		w.advance(10 * time.Second) // by then the others have read the keys again
		for what, s := range map[string]*as.Server{"the node that was told": restarted, "another": other, "a third": w.Server} {
			if err := verified(s, old); err == nil {
				t.Errorf("%s: %s believes what the key signed", name, what)
			}
			if err := verified(s, idToken(s)); err != nil {
				t.Errorf("%s: what %s signs now is not believed: %v", name, what, err)
			}
			if r, err := s.LogoutRequest(w.ctx, "", hint); err != nil || r.Hinted {
				t.Errorf("%s: %s believes a hint that the key signed: %+v, %v", name, what, r, err)
			}
		}
		n := len(w.signingKeys())
		w.beside(2, func(c *as.Config) { c.CompromisedKeys = []string{stolen} })
		if again := len(w.signingKeys()); again != n {
			t.Errorf("%s: to be told again makes %d keys of %d", name, again, n)
		}
	}
}
