package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// pushedRequest is an authorization request of rs1 for a PAT, and its verifier.
func pushedRequest(w *world) (url.Values, string) {
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {string(w.RS1.ID)}, "redirect_uri": {w.RS1.RedirectURIs[0]}, "scope": {string(uma.ScopeProtection)},
		"state": {"s"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}, verifier
}

func (w *world) push(c registered, form url.Values) answer {
	w.t.Helper()
	return w.do(http.MethodPost, pathPushed, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic(string(c.ID), c.Secret)},
	}, form.Encode())
}

// A request that was pushed leads to a code once, for the client that pushed it,
// while it lives, and with nothing beside it.
//
// Proves SEC-090.
func TestAPushedRequestIsOfOneClientAndOfOneUse(t *testing.T) {
	w := newWorld(t)
	form, verifier := pushedRequest(w)
	pushed := w.push(w.RS1, form)
	wantStatus(t, pushed, http.StatusCreated)
	uri := pushed.json(t)["request_uri"].(string)
	if life := pushed.json(t)["expires_in"].(float64); life < 5 || life > 600 {
		t.Errorf("it lives for %v seconds", life)
	}
	path := func(client registered, uri string, more ...string) string {
		q := url.Values{"client_id": {string(client.ID)}, "request_uri": {uri}}
		for i := 0; i+1 < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return pathAuthorize + "?" + q.Encode()
	}
	b := w.browser()
	refusedPage := func(what, path string) {
		t.Helper()
		if got := b.get(path); got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" {
			t.Errorf("%s: %d, Location %q", what, got.StatusCode, got.Header.Get("Location"))
		}
	}
	refusedPage("another client", path(w.RS2, uri))
	refusedPage("an unknown request_uri", path(w.RS1, uri+"x"))
	refusedPage("a parameter beside it", path(w.RS1, uri, "scope", "uma_policy"))
	back := b.press(b.signIn(b.get(path(w.RS1, uri)), w.Alice), "allow")
	location, err := url.Parse(back.Header.Get("Location"))
	w.must(err)
	if location.Query().Get("state") != "s" || location.Query().Get("code") == "" {
		t.Fatalf("the browser is sent to %s", location)
	}
	wantStatus(t, w.postToken(w.RS1, url.Values{
		"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "code_verifier": {verifier}, "redirect_uri": {w.RS1.RedirectURIs[0]},
	}), http.StatusOK)
	refusedPage("a second use", path(w.RS1, uri))

	old := w.push(w.RS1, form).json(t)["request_uri"].(string)
	w.Clock.Advance(10 * time.Minute)
	refusedPage("one that has expired", path(w.RS1, old))
}

// What the authorization endpoint would refuse is refused when it is pushed.
//
// Proves SEC-090.
func TestABadRequestIsNotKept(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(url.Values){
		"without PKCE":               func(v url.Values) { v.Del("code_challenge") },
		"plain PKCE":                 func(v url.Values) { v.Set("code_challenge_method", "plain") },
		"another redirect_uri":       func(v url.Values) { v.Set("redirect_uri", "https://elsewhere.example/cb") },
		"another client":             func(v url.Values) { v.Set("client_id", string(w.RS2.ID)) },
		"a token in the query":       func(v url.Values) { v.Set("response_type", "token") },
		"a request_uri":              func(v url.Values) { v.Set("request_uri", "urn:ietf:params:oauth:request_uri:x") },
		"a scope that is not for it": func(v url.Values) { v.Set("scope", "view") },
	} {
		form, _ := pushedRequest(w)
		change(form)
		if got := w.push(w.RS1, form); got.StatusCode != http.StatusBadRequest || got.json(t)["request_uri"] != nil {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Body)
		}
	}
	form, _ := pushedRequest(w)
	wantError(t, w.ask(pathPushed, "", form), http.StatusUnauthorized, uma.InvalidClient)
}

// A client that has said that it pushes its requests is not asked for by any other.
func TestAClientThatPushesIsTakenAtItsWord(t *testing.T) {
	w := newWorld(t)
	c := w.RS1.Client
	c.RequirePushed = true
	_, _, err := w.AS.RegisterClient(context.Background(), c)
	w.must(err)
	form, _ := pushedRequest(w)
	if got := w.browser().get(pathAuthorize + "?" + form.Encode()); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a request that was not pushed: %d", got.StatusCode)
	}
	wantStatus(t, w.push(w.RS1, form), http.StatusCreated)
}

// A pushed request may ask for a fresh sign-in, too, and whoever signs in then goes on.
func TestAPushedRequestAsksOnceForAFreshSignIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	for _, more := range [][]string{{"prompt", "login"}, {"prompt", "select_account"}, {"max_age", "0"}} {
		w.Clock.Advance(time.Second)
		uri := w.push(w.C1, ask(w.C1, "openid", more...)).json(t)["request_uri"].(string)
		page := b.get(authorizePath(url.Values{"client_id": {string(w.C1.ID)}, "request_uri": {uri}}))
		if _, found := tagByID(t, page.Body, "password"); !found {
			t.Fatalf("%v: no sign-in is asked for", more)
		}
		w.Clock.Advance(time.Second)
		if _, query := sentTo(t, b.press(b.signIn(page, w.Bob), "allow")); query.Get("code") == "" {
			t.Errorf("%v: it leads nowhere", more)
		}
	}
}
