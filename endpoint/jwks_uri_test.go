package endpoint

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// publisher is where a client publishes its keys.
type publisher struct {
	*httptest.Server
	mu      sync.Mutex
	answer  func(http.ResponseWriter)
	fetched int
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fetched++
		p.answer(w)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) says(answer func(http.ResponseWriter)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *publisher) publish(t *testing.T, keys ...oauth.Key) {
	t.Helper()
	set, err := oauth.KeySet(keys).Public()
	if err != nil {
		t.Fatal(err)
	}
	p.says(jsonAnswer(string(set)))
}

func jsonAnswer(body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = io.WriteString(w, body)
	}
}

// visits says how often the keys have been fetched since it was asked last.
func (p *publisher) visits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.fetched
	p.fetched = 0
	return n
}

func (w *world) newKey() oauth.Key {
	w.t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, oauth.DefaultAlgorithm)
	w.must(err)
	return key
}

// published registers a client that says where its keys are.
func (w *world) published(id oauth.ClientID, uri string) oauth.Client {
	w.t.Helper()
	c, _, err := w.AS.RegisterClient(context.Background(), oauth.Client{
		ID: id, AuthMethod: oauth.AuthKey, JWKSURI: uri, GrantTypes: []string{uma.GrantType}, Scopes: []uma.Scope{"view"},
	})
	w.must(err)
	return c
}

// proves shows an assertion and says whether it was believed.
func (w *world) proves(token string) bool {
	w.t.Helper()
	a := w.ask(pathToken, "", asserted(map[string][]string{"grant_type": {uma.GrantType}, "ticket": {"none"}}, token))
	switch a.json(w.t)["error"] {
	case string(uma.InvalidGrant): // the client is in, and its ticket is none
		return true
	case string(uma.InvalidClient):
		wantStatus(w.t, a, http.StatusUnauthorized)
		return false
	}
	w.t.Fatalf("%s %s", a.Status, a.Body)
	return false
}

func reaching(c *as.Config) { c.Fetch = egress.New(egress.Options{AllowLoopback: true}) }

// A client changes its keys where it publishes them, and nowhere else.
//
// Proves SEC-087.
func TestAClientsKeysAreWhereItSays(t *testing.T) {
	w := newWorld(t, reaching)
	p := newPublisher(t)
	old, next := w.newKey(), w.newKey()
	p.publish(t, old)
	c := w.published("p1", p.URL+"/jwks")
	n := 0
	by := func(key oauth.Key) bool { n++; return w.proves(w.assertion(c, key, fmt.Sprint(n))) }
	fetches := func(want int) {
		t.Helper()
		if got := p.visits(); got != want {
			t.Errorf("the keys were fetched %d times, not %d", got, want)
		}
	}
	for range 5 {
		if !by(old) {
			t.Fatal("the key that is published is not accepted")
		}
	}
	fetches(1)

	// A key that is not there is looked for, and not again and again.
	for range 20 {
		if by(next) {
			t.Fatal("a key that is not published is accepted")
		}
	}
	fetches(0) // they came just now
	w.Clock.Advance(31 * time.Second)
	for range 20 {
		if by(next) {
			t.Fatal("a key that is not published is accepted")
		}
	}
	fetches(1)
	p.publish(t, old, next)
	w.Clock.Advance(31 * time.Second)
	if !by(next) || !by(old) {
		t.Error("after a key was added, both are not accepted")
	}
	fetches(1)
	p.publish(t, next)
	w.Clock.Advance(10 * time.Minute)
	if by(old) || !by(next) {
		t.Error("a key that was taken away is accepted, or the other is not")
	}
	w.Clock.Advance(31 * time.Second)
	fetches(1)

	// Who does not answer is believed as long as its keys are fresh, and asked
	// seldom.
	p.says(func(rw http.ResponseWriter) { rw.WriteHeader(http.StatusInternalServerError) })
	if !by(next) {
		t.Error("keys that are fresh are not accepted")
	}
	w.Clock.Advance(10 * time.Minute)
	for range 5 {
		if by(next) {
			t.Error("keys are accepted that may have been taken away long ago")
		}
	}
	fetches(1)
	p.publish(t, next)
	w.Clock.Advance(31 * time.Second)
	if !by(next) {
		t.Error("the client is shut out for good")
	}
	fetches(1)

	// Another address is another set of keys, at once.
	elsewhere, last := newPublisher(t), w.newKey()
	elsewhere.publish(t, last)
	c = w.published("p1", elsewhere.URL+"/jwks")
	if by(next) || !by(last) {
		t.Error("after the client was registered anew its old keys are accepted, or the new ones are not")
	}
	fetches(0)
}

// Strangers do not send the server there: not in a client's name that there is not,
// nor with anything that would be refused whatever the keys are.
//
// Proves SEC-112.
func TestNothingIsFetchedForWhatCannotBeRight(t *testing.T) {
	w := newWorld(t, reaching)
	p := newPublisher(t)
	key := w.newKey()
	p.publish(t, key)
	c := w.published("p2", p.URL+"/jwks")
	off := w.published("off", p.URL+"/jwks")
	off.Disabled = true
	_, _, err := w.AS.RegisterClient(context.Background(), off)
	w.must(err)
	at := w.Clock.Now()
	good := func() map[string]any {
		return map[string]any{"iss": c.ID, "sub": c.ID, "aud": w.Issuer, "jti": rand.Text(), "exp": at.Add(time.Minute).Unix()}
	}
	sign := func(typ string, change map[string]any) string {
		claims := good()
		for name, value := range change {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		token, err := oauth.Sign(key, typ, claims)
		w.must(err)
		return token
	}
	part := func(v any) string {
		raw, err := json.Marshal(v)
		w.must(err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	unsigned := func(header map[string]any) string {
		return part(header) + "." + part(good()) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
	}
	for name, token := range map[string]string{
		"nobody":                 sign("JWT", map[string]any{"iss": "nobody", "sub": "nobody"}),
		"a disabled client":      sign("JWT", map[string]any{"iss": "off", "sub": "off"}),
		"a client with a secret": sign("JWT", map[string]any{"iss": "c1", "sub": "c1"}),
		"another issuer":         sign("JWT", map[string]any{"iss": "c1"}),
		"another audience":       sign("JWT", map[string]any{"aud": w.Issuer + pathToken}),
		"several audiences":      sign("JWT", map[string]any{"aud": []string{w.Issuer}}),
		"no id":                  sign("JWT", map[string]any{"jti": nil}),
		"no end":                 sign("JWT", map[string]any{"exp": nil}),
		"expired":                sign("JWT", map[string]any{"exp": at.Unix()}),
		"good for a day":         sign("JWT", map[string]any{"exp": at.Add(24 * time.Hour).Unix()}),
		"another kind":           sign("at+jwt", nil),
		"not signed":             unsigned(map[string]any{"alg": "none"}),
		"an HMAC":                unsigned(map[string]any{"alg": "HS256"}),
		"RS256":                  unsigned(map[string]any{"alg": "RS256"}),
		"with an address":        unsigned(map[string]any{"alg": "EdDSA", "jku": p.URL}),
		"with a key":             unsigned(map[string]any{"alg": "EdDSA", "jwk": map[string]any{"kty": "OKP"}}),
		"nothing":                "..",
	} {
		if w.proves(token) {
			t.Errorf("%s: believed", name)
		}
		if n := p.visits(); n > 0 {
			t.Errorf("%s: the keys were fetched %d times", name, n)
		}
	}
	if !w.proves(sign("JWT", nil)) || p.visits() != 1 { // the control
		t.Error("the right assertion is not believed")
	}
}

// Keys that are no keys, and an address that leads elsewhere, let nobody in.
func TestKeysThatDoNotComeLetNobodyIn(t *testing.T) {
	w := newWorld(t, reaching)
	key := w.newKey()
	set, err := oauth.KeySet{key}.Public()
	w.must(err)
	private, err := key.MarshalPrivate()
	w.must(err)
	good := newPublisher(t)
	good.publish(t, key)
	for name, answer := range map[string]func(http.ResponseWriter){
		"a private key":  jsonAnswer(`{"keys":[` + string(private) + `]}`),
		"no keys":        jsonAnswer(`{"keys":[]}`),
		"no JSON":        jsonAnswer(`keys`),
		"a web page":     func(rw http.ResponseWriter) { rw.Header().Set("Content-Type", "text/html"); _, _ = rw.Write(set) },
		"a large answer": jsonAnswer(string(set) + strings.Repeat(" ", 64<<10)),
		"a redirect": func(rw http.ResponseWriter) {
			rw.Header().Set("Location", good.URL)
			rw.WriteHeader(http.StatusFound)
		},
	} {
		p := newPublisher(t)
		p.says(answer)
		c := w.published(oauth.ClientID(strings.ReplaceAll(name, " ", "-")), p.URL)
		if w.proves(w.assertion(c, key, "1")) || p.visits() != 1 || good.visits() > 0 {
			t.Errorf("%s: believed, or not looked at", name)
		}
		p.publish(t, key)
		w.Clock.Advance(31 * time.Second)
		if !w.proves(w.assertion(c, key, "2")) { // the control
			t.Errorf("%s: the keys are not believed either", name)
		}
	}
}

// What an address resolves to is judged when it is connected to: a client cannot
// have the server knock at its own neighbours.
//
// Proves SEC-110.
func TestAClientDoesNotSendTheServerToItsNeighbours(t *testing.T) {
	p := newPublisher(t)
	key, err := oauth.GenerateKey(rand.Reader, oauth.DefaultAlgorithm)
	if err != nil {
		t.Fatal(err)
	}
	p.publish(t, key)
	secure := newCanary(t)
	w := newWorld(t, func(c *as.Config) { c.Fetch = egress.New(egress.Options{}) })
	for i, uri := range []string{p.URL, strings.Replace(secure.URL, "http:", "https:", 1), "https://localhost" + secure.URL[strings.LastIndex(secure.URL, ":"):]} {
		c := w.published(oauth.ClientID(fmt.Sprint("n", i)), uri)
		if w.proves(w.assertion(c, key, "1")) || p.visits() > 0 || secure.connections.Load() > 0 {
			t.Errorf("%s: the server went there", uri)
		}
	}
	// Without a way out there is none at all.
	w = newWorld(t)
	if w.proves(w.assertion(w.published("n", p.URL), key, "1")) || p.visits() > 0 {
		t.Error("the server went there by a way that nobody gave it")
	}
}
