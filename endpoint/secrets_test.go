package endpoint

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// provider is a claims provider that a world trusts, with its key.
const provider = "https://clinic.example"

func trustProvider(t testing.TB) (oauth.Key, func(*as.Config)) {
	t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, oauth.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	return key, func(c *as.Config) { c.ClaimIssuers = []as.ClaimIssuer{{Issuer: provider, JWKS: set}} }
}

// aboutBob is an ID token about Bob that a client pushes.
func (w *world) aboutBob(key oauth.Key, c registered) string {
	w.t.Helper()
	now := w.Clock.Now().Unix()
	token, err := oauth.Sign(key, "JWT", map[string]any{
		"iss": provider, "sub": "bob", "aud": c.ID, "iat": now, "exp": now + 300, "email": w.Bob.Email, "email_verified": true,
	})
	w.must(err)
	return token
}

// everything uses everything that the server gives, from the owner's consent to
// the last revocation, with an error of each kind in between.
func (w *world) everything(key oauth.Key) {
	t := w.t
	rs := w.RS1
	alice := w.browser()
	wrong := alice.press(alice.get(authorizePath(ask(rs, "uma_protection"))), "sign-in", "email", w.Alice.Email, "password", "a wrong password of hers")
	consent := alice.signIn(wrong, w.Alice)
	_, back := sentTo(t, alice.press(consent, "allow"))
	w.exchange(rs, back)
	w.exchange(rs, back) // a code that was used: refused, and the token with it
	_, back = sentTo(t, alice.press(alice.get(authorizePath(ask(rs, "uma_protection"))), "allow"))
	tokens := w.exchange(rs, back).json(t)
	pat := tokens["access_token"].(string)
	w.postToken(rs, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}})

	pushed := w.push(w.C1, ask(w.C1, "openid uma_policy email profile offline_access")).json(t)["request_uri"].(string)
	_, back = sentTo(t, alice.press(alice.get(pathAuthorize+"?"+url.Values{"client_id": {"c1"}, "request_uri": {pushed}}.Encode()), "allow"))
	app := w.exchange(w.C1, back).json(t)
	owner := app["access_token"].(string)
	w.api(http.MethodGet, pathUserInfo, owner, "")

	id := w.register(pat, photoDescription)
	wantStatus(t, w.api(http.MethodPost, pathPolicies, owner, withBob(uma.ResourceID(id), `["view"]`)), http.StatusCreated)
	wantStatus(t, w.api(http.MethodPost, pathPolicies, owner, `{"resource_id":"`+id+`","resource_scopes":["edit"],"anyone":true,"approval":"ask"}`), http.StatusCreated)
	permission := func(scopes string) uma.Ticket {
		a := w.api(http.MethodPost, pathPermission, pat, `{"resource_id":"`+id+`","resource_scopes":`+scopes+`}`)
		wantStatus(t, a, http.StatusCreated)
		return uma.Ticket(a.json(t)["ticket"].(string))
	}
	need := w.postTicket(w.C1, permission(`["view"]`))
	wantError(t, need, http.StatusForbidden, uma.NeedInfoCode)
	bob := w.browser()
	page := bob.signIn(bob.get(knock(w.C1, uma.Ticket(need.json(t)["ticket"].(string)), "state", "s")), w.Bob)
	bob.post(pathClaimsVisit, url.Values{"csrf": {"a token that somebody made up"}, "action": {"allow"}})
	_, query := sentTo(t, bob.press(page, "allow", "remember", "yes"))
	granted := w.postTicket(w.C1, uma.Ticket(query.Get("ticket")))
	wantStatus(t, granted, http.StatusOK)
	rpt, refresh, pct := granted.json(t)["access_token"].(string), granted.json(t)["refresh_token"].(string), granted.json(t)["pct"].(string)
	w.postTicket(w.C1, uma.Ticket(query.Get("ticket")))
	bob.press(page, "allow") // the second click

	remembered := w.postTicket(w.C1, permission(`["view"]`), "pct", pct, "rpt", rpt)
	wantStatus(t, remembered, http.StatusOK)
	wantStatus(t, w.postTicket(w.C1, permission(`["view"]`), "claim_token", w.aboutBob(key, w.C1), "claim_token_format", uma.IDTokenFormat), http.StatusOK)
	w.postTicket(w.C2, permission(`["view"]`), "claim_token", w.aboutBob(key, w.C1), "claim_token_format", uma.IDTokenFormat)
	w.postTicket(w.C2, permission(`["view"]`), "pct", pct)
	rpt = remembered.json(t)["access_token"].(string)
	for _, by := range []string{pat, w.pat(w.RS2, w.Alice), owner} {
		w.ask(pathIntrospect, by, url.Values{"token": {rpt}})
	}
	asBob, _ := w.visited(t, w.Bob, w.C2, permission(`["edit"]`))
	submitted := w.postTicket(w.C2, asBob)
	wantError(t, submitted, http.StatusForbidden, uma.RequestSubmittedCode)
	list := w.api(http.MethodGet, pathRequests, owner, "")
	request := listed(t, list)[0]["_id"].(string)
	wantStatus(t, w.api(http.MethodPost, pathRequests+"/"+request+"/approve", owner, ""), http.StatusOK)
	w.Clock.Advance(10 * time.Second)
	wantStatus(t, w.postTicket(w.C2, uma.Ticket(submitted.json(t)["ticket"].(string))), http.StatusOK)
	for _, path := range []string{pathPolicies, pathOwnedResources, pathConnections, pathRequests + "?status=all"} {
		wantStatus(t, w.api(http.MethodGet, path, owner, ""), http.StatusOK)
	}

	keyed, clientKey := w.keyedClient()
	assertion := w.assertion(keyed, clientKey, "once")
	for range 2 {
		w.ask(pathToken, "", asserted(url.Values{"grant_type": {uma.GrantType}, "ticket": {string(permission(`["view"]`))}}, assertion))
	}
	w.postToken(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	w.postToken(w.C2, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	for _, token := range []string{rpt, refresh, pct, app["refresh_token"].(string)} {
		wantStatus(t, w.do(http.MethodPost, pathRevoke, http.Header{"Content-Type": {formType}, "Authorization": {basic("c1", w.C1.Secret)}}, "token="+token), http.StatusOK)
	}
	w.postToken(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	w.postTicket(w.C1, permission(`["view"]`), "pct", pct)
	bob.press(bob.get(pathSignOut), "sign-out")
	holder := w.holder()
	for range 2 { // a proof that was used: refused
		w.withProof(w.C1, ticketForm(permission(`["view"]`)), holder.proof(http.MethodPost, pathToken, ""))
	}
	alice.post(pathEndSession, url.Values{"id_token_hint": {app["id_token"].(string)}, "client_id": {"c1"}, "state": {"s"}})
	alice.post(pathEndSession, url.Values{"id_token_hint": {app["id_token"].(string) + "x"}, "logout_token": {"a logout token of somebody"}})
	wantStatus(t, w.api(http.MethodPost, pathStop, w.token(w.C1, w.Alice, oauth.ScopePolicy), ""), http.StatusNoContent)
	w.api(http.MethodGet, pathResources, pat, "")
}

// Whoever reads the log, an answer that is somebody else's, or the address that a
// browser tells the next site, gets nothing that lets them in.
//
// The same holds for who has copied the database.
//
// Proves SEC-011, SEC-116, SEC-117.
func TestNoSecretIsWhereItDoesNotBelong(t *testing.T) {
	key, trust := trustProvider(t)
	w, tap := newTappedWorld(t, trust)
	w.everything(key)
	for _, leak := range tap.leaks() {
		t.Error(leak)
	}
	store, ok := w.Store.(teststore.Store)
	if !ok {
		t.Fatalf("a %T cannot be looked at from below", w.Store)
	}
	dump := string(store.Dump())
	if !strings.Contains(dump, w.Alice.Email) {
		t.Fatal("the control is not found: this is no copy of the database")
	}
	kinds := map[string]int{}
	for _, s := range tap.secrets {
		kinds[s.kind]++
		raw, err := base64.RawURLEncoding.DecodeString(s.value)
		if s.in(dump) || err == nil && len(raw) >= 16 && strings.Contains(dump, string(raw)) {
			t.Errorf("the %s %s is in the database", s.kind, s.value)
		}
	}
	for _, kind := range []string{
		"access_token", "refresh_token", "id_token", "ticket", "pct", "code", "request_uri", "client_secret", "client_assertion", "password", "code_verifier", "claim_token",
		"cookie licet-session", "cookie licet-claims", "cookie licet-form",
	} {
		if kinds[kind] == 0 {
			t.Errorf("nothing of the kind %s was looked for", kind)
		}
	}
	t.Logf("%d secrets in %d exchanges: %v", len(tap.secrets), len(tap.exchanges), kinds)
}

// listed reads a list of objects.
func listed(t testing.TB, a answer) []map[string]any {
	t.Helper()
	var out []map[string]any
	if err := json.Unmarshal(a.Body, &out); err != nil {
		t.Fatalf("%s is no list: %v", a.Body, err)
	}
	return out
}

// bait is in every place where a secret travels. It must come back from none.
const bait = "cAnArY-0123456789-secret-of-somebody"

// baits are requests to a route with the bait in each field, well and badly
// written, by strangers and by somebody who may come.
func baits(rt route, good http.Header) (all []filing) {
	fields := url.Values{}
	for _, name := range append(handedOut, append(sentAlong, "access_token", "csrf", "claim_token_format", "subject_token", "logout_token", "id_token_hint", "DPoP")...) {
		fields.Set(name, bait)
	}
	cookies := http.Header{}
	for _, name := range []string{"licet-session", page.CookieForm, cookieVisit} {
		cookies.Add("Cookie", name+"="+bait)
	}
	heads := []http.Header{{}, bearer(bait), {"Authorization": {basic("c1", bait)}}, {"Authorization": {basic(bait, bait)}}, {"Authorization": {bait}},
		{"Authorization": {"Basic " + bait}}, {"Authorization": {"Bearer " + bait, "Bearer " + bait}}, {"Authorization": {"DPoP " + bait}, "Dpop": {bait}}, cookies}
	add := func(head http.Header, b filing) {
		b.path, b.header = strings.NewReplacer("{id}", "x", "{$}", "").Replace(rt.path), head
		if rt.method == http.MethodGet {
			b.path, b.form, b.json = b.path+"?"+b.body(), nil, ""
		}
		all = append(all, b)
	}
	for _, head := range append(heads, good) {
		for _, text := range []string{`{"access_token":"` + bait + `","ticket":"` + bait + `","client_secret":"` + bait + `"}`, `{"ticket":"` + bait, bait, `["` + bait + `"]`} {
			add(head, filing{json: text})
		}
		add(head, filing{form: fields})
	}
	for name := range fields {
		add(good, filing{form: url.Values{name: {bait, bait}}})
		for _, grant := range []string{uma.GrantType, oauth.GrantRefreshToken, oauth.GrantAuthorizationCode} {
			add(good, filing{form: url.Values{name: {bait}, "grant_type": {grant}}})
		}
	}
	return all
}

// bitten sends the bait to every route, and tells whose answer has it. It calls
// starting when it has what it needs.
func (w *world) bitten(starting func()) (found []string) {
	good := map[caller]http.Header{
		byClient: {"Authorization": {basic("c1", w.C1.Secret)}}, byPATOrClient: {"Authorization": {basic("c1", w.C1.Secret)}},
		byPAT: bearer(w.pat(w.RS1, w.Alice)), byOwner: bearer(w.token(w.C1, w.Alice, oauth.ScopePolicy)), byBearer: bearer(w.token(w.C1, w.Alice, oauth.ScopeOpenID)), byNewcomer: bearer(w.initial(as.InitialAccess{Uses: 1000})),
	}
	starting()
	for _, rt := range routes() {
		for _, f := range baits(rt, good[rt.caller]) {
			a := w.file(f, rt.method, f.path, f.contentType(), strings.NewReader(f.body()))
			if (rt.path == pathAuthorize || rt.path == pathEndSession) && rt.method == http.MethodPost && strings.HasPrefix(a.Header.Get("Location"), rt.path+"?") {
				continue // an application's question that came as a form, and comes again as an address
			}
			s := secret{kind: "the bait", value: bait}
			if e := (exchange{header: a.Header, body: string(a.Body)}); s.in(e.body) || s.in(e.head()) {
				found = append(found, fmt.Sprintf("%s %s %v: %s %s\n%s", rt.method, f.path, f.header, a.Status, a.Body, e.head()))
			}
		}
	}
	return found
}

// brokenDisk is a store that fails when it is told so, as one with a broken disk.
type brokenDisk struct {
	as.Store
	broken *atomic.Bool
}

var errDisk = errors.New("the disk is broken")

func (s brokenDisk) View(ctx context.Context, f func(as.Reader) error) error {
	if s.broken.Load() {
		return errDisk
	}
	return s.Store.View(ctx, f)
}

func (s brokenDisk) Update(ctx context.Context, f func(as.Tx) error) error {
	if s.broken.Load() {
		return errDisk
	}
	return s.Store.Update(ctx, f)
}

// What somebody sent as a secret is not said back to them, and not to the log,
// however it was written and wherever it was put; also not when the server fails
// over it.
//
// Proves SEC-011, SEC-117.
func TestASecretIsNotSaidBack(t *testing.T) {
	for name, broken := range map[string]bool{"with its store": false, "over a broken disk": true} {
		t.Run(name, func(t *testing.T) {
			var now atomic.Bool
			w, tap := newTappedWorld(t, func(c *as.Config) { c.Store = brokenDisk{c.Store, &now} })
			w.HTTP.Transport = tap.under // the log is enough to listen to
			for _, found := range w.bitten(func() { now.Store(broken) }) {
				t.Error(found)
			}
			if (secret{value: bait}).in(tap.logged()) {
				t.Errorf("it is in the log:\n%s", tap.logged())
			}
			if strings.Contains(tap.logged(), errDisk.Error()) != broken {
				t.Errorf("the log does not say what happened:\n%s", tap.logged())
			}
		})
	}
}

// The control: a secret that is planted in the log, in somebody else's answer, in
// the address of a page, or with a part missing, is found.
func TestASecretThatIsPlantedIsFound(t *testing.T) {
	w, tap := newTappedWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	pat, id := w.gallery()
	ticket := string(w.ticketFor(pat, id, "view"))
	rpt := w.postTicket(w.C1, uma.Ticket(ticket)).json(t)["access_token"].(string)
	if found := tap.leaks(); len(found) > 0 {
		t.Fatalf("before anything is planted: %q", found)
	}
	for name, plant := range map[string]func(){
		"in the log":                     func() { w.Server.Log.Debug("redeemed", "ticket", ticket) },
		"in the log, in part":            func() { w.Server.Log.Debug("redeemed", "rpt", rpt[:len(rpt)-8]+"...") },
		"in the log, encoded":            func() { w.Server.Log.Debug("asked", "authorization", basic("c1", w.C1.Secret)) },
		"in the address of a page":       func() { b.get(pathSignIn + "?ticket=" + ticket) },
		"in the answer to somebody else": func() { w.pagesSay(rpt); b.get("/planted") },
	} {
		before := len(tap.leaks())
		plant()
		if len(tap.leaks()) <= before {
			t.Errorf("a secret %s is not found", name)
		}
	}
	leaky := routes()
	for i, rt := range leaky {
		if rt.path == pathUserInfo {
			leaky[i].caller, leaky[i].handle = anybody, func(_ *Server, c *call) error {
				return uma.NewError(uma.InvalidToken, "No such token: "+c.r.Header.Get("Authorization"))
			}
		}
	}
	w.Server.mux = w.Server.muxOf(leaky)
	w.HTTP.Transport = tap.under
	if len(w.bitten(func() {})) == 0 {
		t.Error("a route that says a token back is not found")
	}
}

// pagesSay adds a page that says a text.
func (w *world) pagesSay(text string) {
	w.Server.mux = w.Server.muxOf(append(routes(), route{http.MethodGet, "/planted", anybody, facePage, func(s *Server, c *call) error {
		return uma.NewError(uma.InvalidRequest, "It was "+text)
	}}))
}
