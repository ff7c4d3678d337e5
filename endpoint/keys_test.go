package endpoint

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keyIDs are the kids that the JWKS has now.
func (w *world) keyIDs() []string {
	w.t.Helper()
	var ids []string
	for _, key := range w.do(http.MethodGet, pathJWKS, nil, "").json(w.t)["keys"].([]any) {
		k := key.(map[string]any)
		if k["d"] != nil || k["alg"] == nil || k["kty"] == nil {
			w.t.Fatalf("the published key is %v", k)
		}
		ids = append(ids, k["kid"].(string))
	}
	return ids
}

// signInWith gets an ID token about Bob for c1.
func (w *world) signInWith(t *testing.T) string {
	t.Helper()
	back := w.authorize(t, w.Bob, authorizePath(ask(w.C1, "openid")))
	return w.exchange(w.C1, back).json(t)["id_token"].(string)
}

// Proves SEC-124. A new key is published before it signs, and an old one for as
// long as what it signed lives.
func TestKeysRotateWithOverlap(t *testing.T) {
	w := newWorld(t)
	ctx := oidc.ClientContext(context.Background(), w.HTTP)
	verify := func(token string) error {
		// A fresh key set each time, as somebody who sees the server for the first
		// time would have.
		keys := oidc.NewRemoteKeySet(ctx, w.Issuer+pathJWKS)
		_, err := oidc.NewVerifier(w.Issuer, keys, &oidc.Config{ClientID: "c1", Now: w.Clock.Now, SupportedSigningAlgs: []string{"EdDSA", "ES256"}}).Verify(ctx, token)
		return err
	}
	first := w.keyIDs()
	if len(first) != 1 {
		t.Fatalf("at first there are %d keys", len(first))
	}
	w.must(verify(w.signInWith(t)))
	w.must(w.AS.RotateKeys(context.Background()))
	if both := w.keyIDs(); len(both) != 2 {
		t.Fatalf("after the rotation %d keys are published", len(both))
	}
	early := w.signInWith(t)
	if signedBy(t, early) != first[0] {
		t.Error("the new key signs before everybody could have seen it")
	}
	w.Clock.Advance(w.AS.Lifetimes.KeyOverlap - time.Minute)
	last := w.signInWith(t)
	w.Clock.Advance(time.Minute)
	late := w.signInWith(t)
	if signedBy(t, late) == first[0] {
		t.Error("the old key still signs")
	}
	for name, token := range map[string]string{"the last of the old key": last, "the first of the new key": late} {
		if err := verify(token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Clock.Advance(w.AS.Lifetimes.KeyOverlap + w.AS.Lifetimes.IDToken)
	if left := w.keyIDs(); len(left) != 1 || left[0] == first[0] {
		t.Errorf("in the end the keys are %v", left)
	}
	w.must(verify(w.signInWith(t)))

	// Once a key is old enough it is replaced by itself, and not before.
	w.must(w.AS.RotateKeysAfter(context.Background(), 24*time.Hour))
	if n := len(w.keyIDs()); n != 1 {
		t.Errorf("a young key is replaced: %d keys", n)
	}
	w.Clock.Advance(24 * time.Hour)
	w.must(w.AS.RotateKeysAfter(context.Background(), 24*time.Hour))
	if n := len(w.keyIDs()); n != 2 {
		t.Errorf("an old key is not replaced: %d keys", n)
	}
}

// signedBy is the kid in a token's header.
func signedBy(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), `"kid":"`)
	kid, _, _ := strings.Cut(rest, `"`)
	return kid
}
