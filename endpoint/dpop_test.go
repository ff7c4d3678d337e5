package endpoint

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// holder has a key and makes DPoP proofs with it, from its own bytes.
type holder struct {
	w   *world
	key *ecdsa.PrivateKey
}

func (w *world) holder() holder {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	return holder{w, key}
}

// jwk is the public key, with its members in the order of RFC 7638.
func (h holder) jwk() string {
	point, err := h.key.PublicKey.Bytes()
	h.w.must(err)
	return `{"crv":"P-256","kty":"EC","x":"` + b64(point[1:33]) + `","y":"` + b64(point[33:]) + `"}`
}

func (h holder) thumbprint() string {
	sum := sha256.Sum256([]byte(h.jwk()))
	return b64(sum[:])
}

// claims are those of a good proof for a request to this server.
func (h holder) claims(method, path, token string) map[string]any {
	c := map[string]any{
		"htm": method, "htu": h.w.Issuer + path, "jti": rand.Text(), "iat": h.w.Clock.Now().Unix(), "nonce": h.w.AS.Nonce(),
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		c["ath"] = b64(sum[:])
	}
	return c
}

func (h holder) sign(header string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	h.w.must(err)
	signed := b64([]byte(header)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, h.key, sum[:])
	h.w.must(err)
	return signed + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (h holder) header() string { return `{"typ":"dpop+jwt","alg":"ES256","jwk":` + h.jwk() + `}` }

func (h holder) proof(method, path, token string) string {
	return h.sign(h.header(), h.claims(method, path, token))
}

// withProof posts a form to the token endpoint as a client, with these proofs.
func (w *world) withProof(c registered, form url.Values, proofs ...string) answer {
	w.t.Helper()
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Dpop": proofs}
	if c.Secret == "" {
		form.Set("client_id", string(c.ID))
	} else {
		h.Set("Authorization", basic(string(c.ID), c.Secret))
	}
	return w.do(http.MethodPost, pathToken, h, form.Encode())
}

func ticketForm(ticket uma.Ticket) url.Values {
	return url.Values{"grant_type": {uma.GrantType}, "ticket": {string(ticket)}}
}

// boundPAT is a PAT of Alice's for rs1 that is bound to the holder's key.
func (h holder) boundPAT(t *testing.T) string {
	t.Helper()
	back := h.w.authorize(t, h.w.Alice, authorizePath(ask(h.w.RS1, "uma_protection")))
	a := h.w.withProof(h.w.RS1, url.Values{
		"grant_type": {oauth.GrantAuthorizationCode}, "code": {back.Get("code")}, "code_verifier": {codeVerifier},
	}, h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, a, http.StatusOK)
	if kind := a.json(t)["token_type"]; kind != "DPoP" {
		t.Fatalf("the PAT's type is %v", kind)
	}
	return a.json(t)["access_token"].(string)
}

// Whoever shows a proof gets an RPT that is bound to the proof's key; the resource
// server is told so. A proof needs the server's nonce first.
//
// Proves SEC-088.
func TestAnRPTIsBoundToTheKeyOfTheProof(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	h := w.holder()
	ticket := w.ticketFor(pat, id, "view")
	early := h.claims(http.MethodPost, pathToken, "")
	delete(early, "nonce")
	first := w.withProof(w.C1, ticketForm(ticket), h.sign(h.header(), early))
	wantError(t, first, http.StatusBadRequest, dpop.UseNonce)
	if first.Header.Get("DPoP-Nonce") != w.AS.Nonce() {
		t.Errorf("the nonce that it should use is %q", first.Header.Get("DPoP-Nonce"))
	}
	a := w.withProof(w.C1, ticketForm(ticket), h.proof(http.MethodPost, pathToken, "")) // the ticket was not spent by the first
	wantStatus(t, a, http.StatusOK)
	if a.json(t)["token_type"] != "DPoP" {
		t.Errorf("the RPT's type is %v", a.json(t)["token_type"])
	}
	told := w.ask(pathIntrospect, pat, url.Values{"token": {a.json(t)["access_token"].(string)}}).json(t)
	cnf, _ := told["cnf"].(map[string]any)
	if told["active"] != true || told["token_type"] != "DPoP" || cnf["jkt"] != h.thumbprint() {
		t.Errorf("introspection says %v", told)
	}
	// The control: without a proof it is a bearer token, and says nothing of a key.
	plain := w.postTicket(w.C1, w.ticketFor(pat, id, "view"))
	told = w.ask(pathIntrospect, pat, url.Values{"token": {plain.json(t)["access_token"].(string)}}).json(t)
	if told["token_type"] != "Bearer" || told["cnf"] != nil {
		t.Errorf("introspection of a bearer token says %v", told)
	}
}

// A PAT that is bound is good with a proof of its key, for this request, once, and
// with nothing else.
//
// Proves SEC-088.
func TestABoundPATIsGoodForTheHolderOfItsKeyAlone(t *testing.T) {
	w := newWorld(t)
	h, thief := w.holder(), w.holder()
	pat := h.boundPAT(t)
	list := func(scheme string, proofs ...string) answer {
		return w.do(http.MethodGet, pathResources, http.Header{"Authorization": {scheme + " " + pat}, "Dpop": proofs}, "")
	}
	good := h.proof(http.MethodGet, pathResources, pat)
	a := list("DPoP", good)
	wantStatus(t, a, http.StatusOK)
	wantError(t, list("DPoP", good), http.StatusUnauthorized, oauth.InvalidDPoPProof)
	wantError(t, list("DPoP"), http.StatusUnauthorized, oauth.InvalidDPoPProof)
	wantError(t, list("Bearer"), http.StatusUnauthorized, uma.InvalidToken)
	wantError(t, list("Bearer", h.proof(http.MethodGet, pathResources, pat)), http.StatusUnauthorized, uma.InvalidToken)
	stolen := list("DPoP", thief.proof(http.MethodGet, pathResources, pat))
	wantError(t, stolen, http.StatusUnauthorized, uma.InvalidToken)
	challenges := stolen.Header.Values("WWW-Authenticate")
	if len(challenges) != 2 || !strings.HasPrefix(challenges[1], "DPoP ") || !strings.Contains(challenges[1], `algs="EdDSA ES256"`) ||
		!strings.Contains(challenges[1], `error="invalid_token"`) {
		t.Errorf("the challenges are %q", challenges)
	}
	wantError(t, list("DPoP", h.proof(http.MethodGet, pathResources, "")), http.StatusUnauthorized, oauth.InvalidDPoPProof)
	wantError(t, list("DPoP", h.proof(http.MethodGet, pathResources, "another token")), http.StatusUnauthorized, oauth.InvalidDPoPProof)
	two := list("DPoP", h.proof(http.MethodGet, pathResources, pat), h.proof(http.MethodGet, pathResources, pat))
	wantError(t, two, http.StatusUnauthorized, oauth.InvalidDPoPProof)
	old := h.claims(http.MethodGet, pathResources, pat)
	old["nonce"] = "made-up"
	wantError(t, list("DPoP", h.sign(h.header(), old)), http.StatusUnauthorized, dpop.UseNonce)

	// A bearer token is not made better, or taken for another, by a proof.
	plain := w.pat(w.RS1, w.Alice)
	h2 := http.Header{"Authorization": {"DPoP " + plain}, "Dpop": {h.proof(http.MethodGet, pathResources, plain)}}
	wantError(t, w.do(http.MethodGet, pathResources, h2, ""), http.StatusUnauthorized, uma.InvalidToken)

	// At introspection, and with a query, which is not part of what is proved.
	h3 := http.Header{"Authorization": {"DPoP " + pat}, "Content-Type": {"application/x-www-form-urlencoded"}, "Dpop": {h.proof(http.MethodPost, pathIntrospect, pat)}}
	wantStatus(t, w.do(http.MethodPost, pathIntrospect+"?x=y", h3, "token=t"), http.StatusOK)
}

// Of many who show one proof at the same time, at two nodes, one is believed.
//
// Proves SEC-088.
func TestAProofIsGoodOnceOnEveryNode(t *testing.T) {
	w := newWorld(t)
	h := w.holder()
	pat := h.boundPAT(t)
	other, err := as.New(context.Background(), w.AS.Config)
	w.must(err)
	for range 5 {
		ctx := as.WithSender(context.Background(), as.Sender{
			Proof: h.proof(http.MethodGet, pathResources, pat), Method: http.MethodGet, URL: w.Issuer + pathResources, DPoP: true,
		})
		var mu sync.Mutex
		var all sync.WaitGroup
		accepted := 0
		for i := range 32 {
			node := []*as.Server{w.AS, other}[i%2]
			all.Go(func() {
				_, err := node.AuthenticatePAT(ctx, pat)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					accepted++
				}
			})
		}
		all.Wait()
		if accepted != 1 {
			t.Errorf("%d were let in by one proof", accepted)
		}
	}
}

// A proof that is wrong in any one way gets nothing, and spends nothing.
//
// Proves SEC-088, SEC-089, SEC-045.
func TestAProofThatIsWrongInOneWayIsRefused(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	h := w.holder()
	ticket := w.ticketFor(pat, id, "view")
	now := w.Clock.Now()
	with := func(name string, value any) string {
		c := h.claims(http.MethodPost, pathToken, "")
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return h.sign(h.header(), c)
	}
	headed := func(header string) string { return h.sign(header, h.claims(http.MethodPost, pathToken, "")) }
	good := strings.Split(h.proof(http.MethodPost, pathToken, ""), ".")
	private := strings.Replace(h.jwk(), `"kty"`, `"d":"AQAB","kty"`, 1)
	for name, proof := range map[string]string{
		"another method":              with("htm", "GET"),
		"the method in small letters": with("htm", "post"),
		"no method":                   with("htm", nil),
		"another URL":                 with("htu", w.Issuer+pathRevoke),
		"a URL of another host":       with("htu", "https://elsewhere.example"+pathToken),
		"a URL with a user":           with("htu", strings.Replace(w.Issuer, "://", "://u@", 1)+pathToken),
		"no URL":                      with("htu", nil),
		"no id":                       with("jti", nil),
		"an id that is too long":      with("jti", strings.Repeat("x", 300)),
		"an id that is a number":      with("jti", 7),
		"no time":                     with("iat", nil),
		"a time that is text":         with("iat", "now"),
		"too old":                     with("iat", now.Add(-3*time.Minute).Unix()),
		"from the future":             with("iat", now.Add(61*time.Second).Unix()),
		"expired":                     with("exp", now.Unix()),
		"not good yet":                with("nbf", now.Add(61*time.Second).Unix()),
		"of another type":             headed(`{"typ":"JWT","alg":"ES256","jwk":` + h.jwk() + `}`),
		"of no type":                  headed(`{"alg":"ES256","jwk":` + h.jwk() + `}`),
		"of the algorithm none":       headed(`{"typ":"dpop+jwt","alg":"none","jwk":` + h.jwk() + `}`),
		"of a symmetric algorithm":    headed(`{"typ":"dpop+jwt","alg":"HS256","jwk":` + h.jwk() + `}`),
		"of another key's algorithm":  headed(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":` + h.jwk() + `}`),
		"without a key":               headed(`{"typ":"dpop+jwt","alg":"ES256"}`),
		"with a private key":          headed(`{"typ":"dpop+jwt","alg":"ES256","jwk":` + private + `}`),
		"with a symmetric key":        headed(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"oct","k":"AQAB"}}`),
		"with a key to be fetched":    headed(`{"typ":"dpop+jwt","alg":"ES256","jku":"https://k.example","jwk":` + h.jwk() + `}`),
		"with something critical":     headed(`{"typ":"dpop+jwt","alg":"ES256","crit":["x"],"jwk":` + h.jwk() + `}`),
		"signed by somebody else":     w.holder().sign(h.header(), h.claims(http.MethodPost, pathToken, "")),
		"without a signature":         good[0] + "." + good[1] + ".",
		"with its claims changed":     good[0] + "." + b64([]byte(`{"htm":"POST"}`)) + "." + good[2],
		"no JWT":                      "proof",
		"a JWT of three empty parts":  "..",
	} {
		if a := w.withProof(w.C1, ticketForm(ticket), proof); a.StatusCode != http.StatusBadRequest || a.json(t)["error"] != string(oauth.InvalidDPoPProof) {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.Body)
		}
	}
	// Eight seconds ahead is a clock that is a little fast; the ticket is still good.
	slightly := h.claims(http.MethodPost, pathToken, "")
	slightly["iat"] = now.Add(8 * time.Second).Unix()
	slightly["htu"] = strings.Replace(w.Issuer, "http://", "HTTP://", 1) + pathToken + "?query#fragment"
	wantStatus(t, w.withProof(w.C1, ticketForm(ticket), h.sign(h.header(), slightly)), http.StatusOK)
}

// Nonces are given out for a minute and accepted for two more, by every node.
func TestANonceIsGoodForAShortTime(t *testing.T) {
	w := newWorld(t)
	h := w.holder()
	pat := h.boundPAT(t)
	nonce := w.AS.Nonce()
	try := func() answer {
		c := h.claims(http.MethodGet, pathResources, pat)
		c["nonce"] = nonce
		return w.do(http.MethodGet, pathResources, http.Header{"Authorization": {"DPoP " + pat}, "Dpop": {h.sign(h.header(), c)}}, "")
	}
	w.Clock.Advance(2 * time.Minute)
	wantStatus(t, try(), http.StatusOK)
	w.Clock.Advance(time.Minute)
	a := try()
	wantError(t, a, http.StatusUnauthorized, dpop.UseNonce)
	if nonce = a.Header.Get("DPoP-Nonce"); nonce == "" {
		t.Fatal("the new nonce is not told")
	}
	wantStatus(t, try(), http.StatusOK)
}

// The refresh token of a client that keeps no secret is bound, too, and then it is
// not rotated: nobody else can use it, and a lost answer is no loss. That of a
// client with a secret is rotated, and the new access token has the key of today.
//
// Proves SEC-088, SEC-091.
func TestRefreshOfBoundTokens(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	h, thief := w.holder(), w.holder()
	refresh := func(c registered, token string, by holder) answer {
		return w.withProof(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, by.proof(http.MethodPost, pathToken, ""))
	}
	issued := w.withProof(w.Public, ticketForm(w.ticketFor(pat, id, "view")), h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, issued, http.StatusOK)
	token := issued.json(t)["refresh_token"].(string)
	wantError(t, refresh(w.Public, token, thief), http.StatusBadRequest, uma.InvalidGrant)
	unproved := w.withProof(w.Public, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	wantError(t, unproved, http.StatusBadRequest, uma.InvalidGrant)
	for range 2 {
		a := refresh(w.Public, token, h)
		wantStatus(t, a, http.StatusOK)
		if m := a.json(t); m["refresh_token"] != nil || m["token_type"] != "DPoP" {
			t.Errorf("refreshing answers %s", a.Body)
		}
	}
	w.Clock.Advance(w.AS.Lifetimes.Refresh)
	wantError(t, refresh(w.Public, token, h), http.StatusBadRequest, uma.InvalidGrant)

	issued = w.withProof(w.C1, ticketForm(w.ticketFor(w.pat(w.RS1, w.Alice), id, "view")), h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, issued, http.StatusOK)
	newKey := w.holder()
	a := refresh(w.C1, issued.json(t)["refresh_token"].(string), newKey)
	wantStatus(t, a, http.StatusOK)
	told := w.ask(pathIntrospect, w.pat(w.RS1, w.Alice), url.Values{"token": {a.json(t)["access_token"].(string)}}).json(t)
	if cnf, _ := told["cnf"].(map[string]any); cnf["jkt"] != newKey.thumbprint() || a.json(t)["refresh_token"] == nil {
		t.Errorf("refreshed with a new key: %v, %s", told, a.Body)
	}
}

// A code can be bound to a key before it is made: by the parameter, or by a proof
// with the pushed request. Nobody with another key redeems it.
//
// Proves SEC-082, SEC-088.
func TestACodeIsBoundToTheKey(t *testing.T) {
	w := newWorld(t)
	h, thief := w.holder(), w.holder()
	redeem := func(back url.Values, by ...holder) answer {
		var proofs []string
		for _, h := range by {
			proofs = append(proofs, h.proof(http.MethodPost, pathToken, ""))
		}
		return w.withProof(w.RS1, url.Values{
			"grant_type": {oauth.GrantAuthorizationCode}, "code": {back.Get("code")}, "code_verifier": {codeVerifier},
		}, proofs...)
	}
	named := authorizePath(ask(w.RS1, "uma_protection", "dpop_jkt", h.thumbprint()))
	wantError(t, redeem(w.authorize(t, w.Alice, named), thief), http.StatusBadRequest, uma.InvalidGrant)
	wantError(t, redeem(w.authorize(t, w.Alice, named)), http.StatusBadRequest, uma.InvalidGrant)
	wantStatus(t, redeem(w.authorize(t, w.Alice, named), h), http.StatusOK)

	push := func(form url.Values, by holder) answer {
		return w.do(http.MethodPost, pathPushed, http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic(string(w.RS1.ID), w.RS1.Secret)},
			"Dpop": {by.proof(http.MethodPost, pathPushed, "")},
		}, form.Encode())
	}
	pushed := func() string {
		a := push(ask(w.RS1, "uma_protection"), h)
		wantStatus(t, a, http.StatusCreated)
		return authorizePath(url.Values{"client_id": {string(w.RS1.ID)}, "request_uri": {a.json(t)["request_uri"].(string)}})
	}
	wantError(t, redeem(w.authorize(t, w.Alice, pushed()), thief), http.StatusBadRequest, uma.InvalidGrant)
	wantStatus(t, redeem(w.authorize(t, w.Alice, pushed()), h), http.StatusOK)
	wantError(t, push(ask(w.RS1, "uma_protection", "dpop_jkt", h.thumbprint()), thief), http.StatusBadRequest, oauth.InvalidDPoPProof)
	b := w.browser()
	if a := b.get(authorizePath(ask(w.RS1, "uma_protection", "dpop_jkt", "short"))); !strings.Contains(a.Header.Get("Location"), "error=invalid_request") {
		t.Errorf("a thumbprint that is none: %d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
}

// A client that registered for bound tokens gets no other kind, by whatever grant.
//
// Proves SEC-088, SEC-092.
func TestAClientForBoundTokensGetsNoBearerTokens(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	bound := w.Public.Client
	bound.DPoPBound = true
	_, _, err := w.AS.RegisterClient(context.Background(), bound)
	w.must(err)
	h := w.holder()
	issued := w.withProof(w.Public, ticketForm(w.ticketFor(pat, id, "view")), h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, issued, http.StatusOK)
	back := w.authorize(t, w.Bob, authorizePath(ask(w.Public, "openid")))
	for name, form := range map[string]url.Values{
		"a ticket":        ticketForm(w.ticketFor(pat, id, "view")),
		"a code":          {"grant_type": {oauth.GrantAuthorizationCode}, "code": {back.Get("code")}, "code_verifier": {codeVerifier}},
		"a refresh token": {"grant_type": {"refresh_token"}, "refresh_token": {issued.json(t)["refresh_token"].(string)}},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, w.withProof(w.Public, maps.Clone(form)), http.StatusBadRequest, oauth.InvalidDPoPProof)
			wantStatus(t, w.withProof(w.Public, form, h.proof(http.MethodPost, pathToken, "")), http.StatusOK)
		})
	}
	if _, err := w.AS.IssueToken(context.Background(), w.Public.ID, w.Bob.ID, w.Bob.Space, oauth.ScopeOpenID); err == nil {
		t.Error("it was given a bearer token without a request")
	}
}
