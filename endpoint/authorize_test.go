package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

const codeVerifier = "a-verifier-that-is-long-enough-to-be-one-0123"

// ask is the query of an authorization request; more are name and value pairs,
// "" takes a parameter away.
func ask(c registered, scope string, more ...string) url.Values {
	sum := sha256.Sum256([]byte(codeVerifier))
	query := url.Values{
		"client_id": {string(c.ID)}, "response_type": {"code"}, "redirect_uri": {c.RedirectURIs[0]}, "scope": {scope}, "state": {"s t&1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
		if more[i+1] == "" {
			query.Del(more[i])
		}
	}
	return query
}

func authorizePath(query url.Values) string { return pathAuthorize + "?" + query.Encode() }

// exchange redeems the code with which a browser was sent back.
func (w *world) exchange(c registered, query url.Values) answer {
	w.t.Helper()
	return w.postToken(c, url.Values{
		"grant_type": {oauth.GrantAuthorizationCode}, "code": {query.Get("code")},
		"redirect_uri": {c.RedirectURIs[0]}, "code_verifier": {codeVerifier},
	})
}

// Proves FED-1.3-05, FED-1.3-06.
func TestOwnerAuthorizesAResourceServerKnowingly(t *testing.T) {
	w := newWorld(t)
	server := w.RS1.Client
	server.Scopes = append(server.Scopes, oauth.ScopeOpenID)
	if _, _, err := w.AS.RegisterClient(context.Background(), server); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	consent := b.signIn(b.get(authorizePath(ask(w.RS1, "openid uma_protection"))), w.Alice)
	for _, want := range []string{
		"<h1><bdi>Photos</bdi> asks you</h1>", "put things of yours under protection here, and ask who may see them",
		"know that it is you when you come back", "the things of <b><bdi>Alice</bdi></b>", "alice@example.com", "rs1.example",
	} {
		if !strings.Contains(string(consent.Body), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	uri, query := sentTo(t, b.press(consent, "allow"))
	if uri != "https://rs1.example/cb" || query.Get("state") != "s t&1" || query.Get("iss") != w.Issuer || len(query) != 3 {
		t.Errorf("sent to %s with %v", uri, query)
	}
	tokens := w.exchange(w.RS1, query).json(t)
	token, _ := tokens["access_token"].(string)
	pat, err := w.AS.AuthenticatePAT(context.Background(), token)
	if err != nil || pat.Space != w.Alice.Space || pat.ResourceServer != w.RS1.ID {
		t.Errorf("the token is for %+v: %v", pat, err)
	}
	if id, _ := tokens["id_token"].(string); strings.Count(id, ".") != 2 {
		t.Errorf("there is no ID token beside the PAT: %v", tokens)
	}
}

func TestNoIsAccessDenied(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	consent := b.signIn(b.get(authorizePath(ask(w.C1, "openid"))), w.Bob)
	if query := isSentBackWith(t, b.press(consent, "deny"), "https://c1.example/cb", uma.AccessDenied, w.Issuer); query.Get("state") != "s t&1" {
		t.Errorf("state %q", query.Get("state"))
	}
}

// Proves SEC-080.
func TestAuthorizationRequestOfNobodyIsAPage(t *testing.T) {
	w := newWorld(t)
	for _, change := range [][]string{
		{"client_id", ""}, {"client_id", "nobody"}, {"redirect_uri", "https://evil.example/cb"}, {"redirect_uri", "https://c1.example/claims"},
		{"redirect_uri", "https://c1.example/cb/"}, {"redirect_uri", "https://C1.example/cb"}, {"redirect_uri", "https://c1.example:443/cb"},
		{"redirect_uri", "https://c1.example/cb?x=1"}, {"redirect_uri", "https://c1.example/cb#"}, {"redirect_uri", "https://c1.example@evil.example/cb"},
		{"redirect_uri", "javascript:alert(1)"}, {"redirect_uri", "/cb"},
	} {
		// Other faults must not open the way that these close.
		for _, also := range [][]string{nil, {"response_type", "token"}, {"prompt", "none"}, {"scope", ""}} {
			a := w.browser().get(authorizePath(ask(w.C1, "openid", append(change, also...)...)))
			if isErrorPage(t, a); t.Failed() {
				t.Fatalf("with %v", append(change, also...))
			}
		}
	}
	isErrorPage(t, w.browser().get(authorizePath(ask(w.C1, "openid"))+"&client_id=c1"))
	// A native application chooses its port on the loopback address, and nothing else.
	native := ask(w.Public, "openid", "redirect_uri", "http://127.0.0.1:49152/cb", "prompt", "none")
	isSentBackWith(t, w.browser().get(authorizePath(native)), "http://127.0.0.1:49152/cb", uma.LoginRequired, w.Issuer)
	isErrorPage(t, w.browser().get(authorizePath(ask(w.C1, "openid", "redirect_uri", "http://127.0.0.1:49152/cb"))))
}

// Proves SEC-084.
func TestBadAuthorizationRequestGoesBackToTheClient(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		change []string
		code   uma.Code
	}{
		{[]string{"response_type", ""}, uma.InvalidRequest},
		{[]string{"response_type", "token"}, uma.UnsupportedResponseType},
		{[]string{"response_type", "code id_token"}, uma.UnsupportedResponseType},
		{[]string{"response_mode", "fragment"}, uma.InvalidRequest},
		{[]string{"code_challenge", ""}, uma.InvalidRequest},
		{[]string{"code_challenge_method", "plain"}, uma.InvalidRequest},
		{[]string{"scope", ""}, uma.InvalidScope},
		{[]string{"scope", "view"}, uma.InvalidScope}, // a resource's: only by a permission ticket
		{[]string{"scope", "uma_protection"}, uma.InvalidScope},
		{[]string{"prompt", "none login"}, uma.InvalidRequest},
		{[]string{"max_age", "-1"}, uma.InvalidRequest},
		{[]string{"request", "e30.e30."}, oauth.RequestNotSupported},
	} {
		a := w.browser().get(authorizePath(ask(w.C1, "openid", c.change...)))
		if query := isSentBackWith(t, a, "https://c1.example/cb", c.code, w.Issuer); query.Get("state") != "s t&1" {
			t.Errorf("%v: state %q", c.change, query.Get("state"))
		}
	}
	password := url.Values{"grant_type": {"password"}, "username": {w.Bob.Email}, "password": {testPassword}}
	if a := w.postToken(w.C1, password); a.json(t)["error"] != string(uma.UnsupportedGrantType) {
		t.Errorf("a password at the token endpoint: %s", a.Body)
	}
	metadata := w.do(http.MethodGet, pathOAuthConfiguration, nil, "").json(t)
	for member, banned := range map[string]string{"response_types_supported": "token", "grant_types_supported": "password", "response_modes_supported": "fragment"} {
		if list, ok := metadata[member].([]any); !ok || slices.Contains(list, any(banned)) {
			t.Errorf("%s: %v", member, metadata[member])
		}
	}
}

func TestPromptNoneNeverShowsAPage(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	quietly := func(more ...string) answer {
		return b.get(authorizePath(ask(w.C1, "openid", append(more, "prompt", "none")...)))
	}
	isSentBackWith(t, quietly(), "https://c1.example/cb", uma.LoginRequired, w.Issuer)
	b.signIn(b.get(pathSignIn), w.Bob)
	isSentBackWith(t, quietly(), "https://c1.example/cb", uma.ConsentRequired, w.Issuer)
	isSentBackWith(t, quietly("max_age", "0"), "https://c1.example/cb", uma.LoginRequired, w.Issuer)
	w.Clock.Advance(61 * time.Second)
	isSentBackWith(t, quietly("max_age", "60"), "https://c1.example/cb", uma.LoginRequired, w.Issuer)
	isSentBackWith(t, quietly("max_age", "61"), "https://c1.example/cb", uma.ConsentRequired, w.Issuer)
}

func TestApplicationMayAskForAFreshSignIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	w.Clock.Advance(time.Hour)
	for _, more := range [][]string{{"prompt", "login"}, {"prompt", "select_account"}, {"prompt", "login consent"}, {"max_age", "0"}, {"max_age", "3599"}} {
		page := b.get(authorizePath(ask(w.C1, "openid", more...)))
		if _, found := tagByID(t, page.Body, "password"); !found {
			t.Fatalf("%v: no sign-in is asked for", more)
		}
		_, query := sentTo(t, b.press(b.signIn(page, w.Bob), "allow")) // and not asked for again
		if a := w.exchange(w.C1, query); a.StatusCode != http.StatusOK {
			t.Errorf("%v: %s", more, a.Body)
		}
		w.Clock.Advance(time.Hour)
	}
	for _, more := range [][]string{{}, {"prompt", "consent"}, {"max_age", "3600"}} {
		if _, found := tagByID(t, b.get(authorizePath(ask(w.C1, "openid", more...))).Body, "allow"); !found {
			t.Errorf("%v: a sign-in is asked for", more)
		}
	}
}

// An application that would change whom things are shared with is not let in from a
// session of long ago, nor by a page that was left open; no is never held up.
//
// Proves SEC-073.
func TestAnAppThatSharesIsLetInByWhoHasShownWhoTheyAre(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Alice)
	left := b.get(authorizePath(ask(w.C1, "openid uma_policy")))
	w.Clock.Advance(provedFor + time.Second)
	for what, page := range map[string]answer{"a session of long ago": b.get(authorizePath(ask(w.C1, "openid uma_policy"))), "a page left open": b.press(left, "allow")} {
		if _, found := tagByID(t, page.Body, "password"); !found {
			t.Errorf("%s: no sign-in is asked for: %s", what, page.Status)
		}
	}
	isSentBackWith(t, b.press(left, "deny"), "https://c1.example/cb", uma.AccessDenied, w.Issuer)
	page := b.signIn(b.press(left, "allow"), w.Alice)
	if _, query := sentTo(t, b.press(page, "allow")); query.Get("code") == "" {
		t.Error("signing in leads nowhere")
	}
}

// An application may send its request as a form from its own page. That page
// must not be able to answer the question, too.
func TestRequestSentAsAFormDecidesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	query := ask(w.C1, "openid")
	query.Set("action", "allow")
	query.Set("asked", ask(w.C1, "openid").Encode())
	page := b.postFrom("cross-site", pathAuthorize, query)
	if _, found := tagByID(t, page.Body, "allow"); !found {
		t.Fatalf("the request is not shown: %s", page.Body)
	}
	query.Set("csrf", "AAAA")
	if a := b.postFrom("cross-site", pathAuthorize, query); a.StatusCode != http.StatusForbidden {
		t.Errorf("a made-up token from elsewhere: %d", a.StatusCode)
	}
	if a := b.post(pathAuthorize, query); a.StatusCode != http.StatusForbidden {
		t.Errorf("a made-up token: %d", a.StatusCode)
	}
	form, _ := findForm(t, page.Body, "allow")
	if a := b.postFrom("cross-site", pathAuthorize, form.values); a.StatusCode != http.StatusForbidden {
		t.Errorf("the true token from elsewhere: %d", a.StatusCode)
	}
	if _, sent := sentTo(t, b.press(page, "allow")); sent.Get("code") == "" {
		t.Error("the true answer leads nowhere")
	}
}

func TestPersonSaysForWhichSpace(t *testing.T) {
	w := newWorld(t)
	w.must(w.Store.Update(context.Background(), func(tx as.Tx) error {
		return tx.PutRole(as.Role{Account: w.Alice.ID, Space: w.Anna.Space, Kind: as.RoleGuardian})
	}))
	b := w.browser()
	consent := b.signIn(b.get(authorizePath(ask(w.RS1, "uma_protection"))), w.Alice)
	if a := b.press(consent, "allow"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without a choice: %d", a.StatusCode)
	}
	_, query := sentTo(t, b.press(consent, "allow", "space", string(w.Anna.Space)))
	tokens := w.exchange(w.RS1, query).json(t)
	token, _ := tokens["access_token"].(string)
	if pat, err := w.AS.AuthenticatePAT(context.Background(), token); err != nil || pat.Space != w.Anna.Space {
		t.Errorf("the token is for %+v: %v", pat, err)
	}
	stranger := b.press(consent, "allow", "space", string(w.Bob.Space))
	isSentBackWith(t, stranger, "https://rs1.example/cb", uma.AccessDenied, w.Issuer)
}

func TestWhoManagesNothingCanOnlySayNo(t *testing.T) {
	w := newWorld(t)
	w.must(w.Store.Update(context.Background(), func(tx as.Tx) error { return tx.DeleteRole(w.Bob.ID, w.Bob.Space) }))
	b := w.browser()
	consent := b.signIn(b.get(authorizePath(ask(w.C1, "uma_policy"))), w.Bob)
	if _, found := tagByID(t, consent.Body, "allow"); found {
		t.Error("there is a yes to nothing")
	}
	isSentBackWith(t, b.press(consent, "deny"), "https://c1.example/cb", uma.AccessDenied, w.Issuer)
}

func TestAnotherAccountMayAnswer(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	asBob := b.signIn(b.get(authorizePath(ask(w.C1, "openid"))), w.Bob)
	asCarlos := b.signIn(b.press(asBob, "switch"), w.Carlos)
	if a := b.press(asBob, "allow"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the question that was put to Bob is answered for Carlos: %d", a.StatusCode)
	}
	_, query := sentTo(t, b.press(asCarlos, "allow"))
	tokens := w.exchange(w.C1, query).json(t)
	token, _ := tokens["access_token"].(string)
	if account, _, err := w.AS.UserInfo(context.Background(), token); err != nil || account.ID != w.Carlos.ID {
		t.Errorf("the code is for %s: %v", account.Email, err)
	}
}
