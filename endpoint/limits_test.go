package endpoint

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// alarms is what the operator's log says of limits.
type alarms struct {
	mutex sync.Mutex
	lines bytes.Buffer
}

func (a *alarms) Write(p []byte) (int, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.lines.Write(p)
}

// refused is how many refusals have been told of a party, in how many lines.
func (a *alarms) refused(t *testing.T, name, who string) (refused, lines int) {
	t.Helper()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	d := json.NewDecoder(bytes.NewReader(a.lines.Bytes()))
	for d.More() {
		var line struct {
			Level, Msg, Limit, Who string
			Refused                int
		}
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Level == "WARN" && line.Msg == "too many requests" && line.Limit == name && line.Who == who {
			refused, lines = refused+line.Refused, lines+1
		}
	}
	return refused, lines
}

// bound gives the world's server other limits, and a log to look at.
func (w *world) bound(l Limits) *alarms {
	w.t.Helper()
	a, c := &alarms{}, w.Server.Config
	c.Limits, c.Log = l, slog.New(slog.NewJSONHandler(a, nil))
	var err error
	w.Server, err = New(c)
	w.must(err)
	return a
}

// from sends a request that comes from an address.
func (w *world) from(address, method, path string, header http.Header, body string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = address
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	rec := httptest.NewRecorder()
	w.Server.ServeHTTP(rec, r)
	response := rec.Result()
	response.Request = r
	return answer{response, rec.Body.Bytes()}
}

// wantLater checks a refusal for a limit in a face, and returns how long to wait.
func wantLater(t testing.TB, a answer) time.Duration {
	t.Helper()
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.StatusCode != http.StatusTooManyRequests || err != nil || seconds < 1 {
		t.Fatalf("%s %s: %s, Retry-After %q, %s", a.Request.Method, a.Request.URL.Path, a.Status, a.Header.Get("Retry-After"), a.Body)
	}
	return time.Duration(seconds) * time.Second
}

func randomTicket(bytes int) uma.Ticket {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return uma.Ticket(base64.RawURLEncoding.EncodeToString(b))
}

// Ten thousand tickets that are none, of both kinds' lengths, are answered alike:
// within the documented budget as invalid, beyond it not at all. What the client
// has that is good keeps, and nobody else waits.
//
// Proves SEC-002, SEC-125.
func TestRandomTicketsAreAllAlikeAndThenThrottled(t *testing.T) {
	w := newWorld(t)
	log := w.bound(Limits{Refusals: limit.Off})
	pat, photo := w.gallery("view")
	w.share(w.Alice, policy.Share{Resource: photo, Scopes: []uma.Scope{"view"}, Anyone: true})
	good, others := w.ticketFor(pat, photo, "view"), w.ticketFor(pat, photo, "view")

	const budget, tried = 600, 10_000
	var invalid, throttled answer
	for n := range tried {
		a := w.postTicket(w.C1, randomTicket([]int{32, 100, 300, 1}[n%4]))
		switch {
		case n == 0:
			wantError(t, a, http.StatusBadRequest, uma.InvalidGrant)
			invalid = a
		case n == budget:
			wantLater(t, a)
			throttled = a
		}
		want := invalid
		if n >= budget {
			want = throttled
		}
		if a.StatusCode != want.StatusCode || !bytes.Equal(a.Body, want.Body) || len(a.Header) != len(want.Header) {
			t.Fatalf("ticket %d: %s %s %v, want %s %s", n, a.Status, a.Body, a.Header, want.Status, want.Body)
		}
	}
	if n, lines := log.refused(t, "client", "c1"); n != 1 || lines != 1 {
		t.Errorf("the log tells %d refusals in %d lines, want the first at once", n, lines)
	}
	a := w.postTicket(w.C1, good)
	wantStatus(t, w.postTicket(w.C2, others), http.StatusOK)
	wait := wantLater(t, a)

	w.Clock.Advance(wait)
	wantStatus(t, w.postTicket(w.C1, good), http.StatusOK) // it was not spent
	for range 100 {
		w.postTicket(w.C1, randomTicket(32))
	}
	w.Clock.Advance(time.Minute)
	for range budget + 1 {
		a = w.postTicket(w.C1, randomTicket(32))
	}
	wantLater(t, a)
	if n, lines := log.refused(t, "client", "c1"); n < tried-budget || lines != 2 {
		t.Errorf("a minute later the log tells %d refusals in %d lines, want all of them in 2", n, lines)
	}
	if wait > time.Second {
		t.Errorf("with ten a second one has to wait %v", wait)
	}
}

// A resource server cannot know what strangers show it: however much of it is
// nothing, and however small its budget, it is answered.
func TestAHealthyResourceServerIsNotLimited(t *testing.T) {
	w := newWorld(t)
	w.bound(Limits{Client: limit.Rate{Count: 1, Per: time.Hour}, Address: limit.Rate{Count: 1, Per: time.Hour}, Public: limit.Rate{Count: 1, Per: time.Hour}})
	pat, photo := w.gallery("view")
	w.share(w.Alice, policy.Share{Resource: photo, Scopes: []uma.Scope{"view"}, Anyone: true})
	for range 200 {
		a := w.ask(pathIntrospect, pat, url.Values{"token": {string(randomTicket(38))}})
		if a.StatusCode != http.StatusOK || string(a.Body) != `{"active":false}` {
			t.Fatalf("introspection: %s %s", a.Status, a.Body)
		}
		wantStatus(t, w.postTicket(w.C1, w.ticketFor(pat, photo, "view")), http.StatusOK)
	}
}

// At the protection API each space has a budget of its own, and in it only what is
// wrong is refused: otherwise a stale link would shut a space.
func TestOneSpaceDoesNotPayForAnother(t *testing.T) {
	w := newWorld(t)
	pat, photo := w.gallery("view")
	annas := w.pat(w.RS1, w.Anna)
	log := w.bound(Limits{Client: limit.Rate{Count: 5, Per: time.Minute}})
	wrong := `{"resource_id":"nothing","resource_scopes":["view"]}`
	for range 5 {
		wantError(t, w.api(http.MethodPost, pathPermission, pat, wrong), http.StatusBadRequest, uma.InvalidResourceID)
	}
	wantLater(t, w.api(http.MethodPost, pathPermission, pat, wrong))
	wantLater(t, w.api(http.MethodGet, pathResources+"/nothing", pat, ""))
	wantStatus(t, w.api(http.MethodPost, pathPermission, pat, `{"resource_id":"`+string(photo)+`","resource_scopes":["view"]}`), http.StatusCreated)
	wantError(t, w.api(http.MethodPost, pathPermission, annas, wrong), http.StatusBadRequest, uma.InvalidResourceID)
	if n, _ := log.refused(t, "client", "rs1"); n != 1 {
		t.Errorf("the log tells %d", n)
	}
	w.Clock.Advance(12 * time.Second)
	wantError(t, w.api(http.MethodPost, pathPermission, pat, wrong), http.StatusBadRequest, uma.InvalidResourceID)
}

// Credentials that are wrong use up the address's budget, at every route and in
// its own form. Right ones pass all the same, and other addresses do not know.
func TestWrongCredentialsAreTheirAddressesConcern(t *testing.T) {
	const here, there = "198.51.100.1:99", "198.51.100.2:99"
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	with := func(h http.Header, authorization string) http.Header {
		h = h.Clone()
		h.Set("Authorization", authorization)
		return h
	}
	wrong := "Bearer " + string(randomTicket(38))
	for name, try := range map[string]func(w *world, from string) answer{
		"a secret at the token endpoint": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathToken, with(form, basic("c1", "wrong")), "grant_type=x")
		},
		"a client that is not there": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathPushed, with(form, basic("nobody", "wrong")), "a=b")
		},
		"a secret at introspection": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathIntrospect, with(form, basic("rs1", "wrong")), "token=x")
		},
		"a token at introspection": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathIntrospect, with(form, wrong), "token=x")
		},
		"a token at the permission endpoint": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathPermission, with(form, wrong), "")
		},
		"a token at userinfo": func(w *world, from string) answer {
			return w.from(from, http.MethodGet, pathUserInfo, with(form, wrong), "")
		},
		"a token at the policy endpoint": func(w *world, from string) answer {
			return w.from(from, http.MethodGet, pathPolicies, with(form, wrong), "")
		},
		"a public client's ticket": func(w *world, from string) answer {
			return w.from(from, http.MethodPost, pathToken, form, url.Values{"grant_type": {uma.GrantType}, "client_id": {"public"}, "ticket": {string(randomTicket(32))}}.Encode())
		},
		"a browser's ticket": func(w *world, from string) answer {
			q := url.Values{"client_id": {"c1"}, "ticket": {string(randomTicket(32))}, "claims_redirect_uri": {"https://c1.example/claims"}}
			return w.from(from, http.MethodGet, pathClaims+"?"+q.Encode(), nil, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			log := w.bound(Limits{Address: limit.Rate{Count: 3, Per: time.Minute}})
			first := try(w, here)
			for range 2 {
				if a := try(w, here); a.StatusCode != first.StatusCode || a.StatusCode == http.StatusTooManyRequests {
					t.Fatalf("within the budget: %s", a.Status)
				}
			}
			last := try(w, here)
			wait := wantLater(t, last)
			if got, want := last.Header.Get("Content-Type"), first.Header.Get("Content-Type"); want != "" && got != want {
				t.Errorf("the refusal is %s, where others are %s", got, want)
			}
			if a := try(w, there); a.StatusCode != first.StatusCode {
				t.Errorf("another address: %s", a.Status)
			}
			ok := w.from(here, http.MethodPost, pathIntrospect, with(form, basic("rs1", w.RS1.Secret)), "token=x")
			if ok.StatusCode != http.StatusOK {
				t.Errorf("right credentials from there: %s %s", ok.Status, ok.Body)
			}
			if n, _ := log.refused(t, "address", "198.51.100.1"); n != 1 {
				t.Errorf("the log tells %d", n)
			}
			w.Clock.Advance(wait)
			if a := try(w, here); a.StatusCode != first.StatusCode {
				t.Errorf("after the wait: %s", a.Status)
			}
		})
	}
}

// One machine may use a whole /64 of IPv6; it has one budget.
func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	w := newWorld(t)
	w.bound(Limits{Address: limit.Rate{Count: 3, Per: time.Minute}})
	try := func(address string) answer {
		return w.from("["+address+"]:99", http.MethodGet, pathUserInfo, http.Header{"Authorization": {"Bearer " + string(randomTicket(38))}}, "")
	}
	for n := range 3 {
		wantStatus(t, try(fmt.Sprintf("2001:db8:0:1::%x", n)), http.StatusUnauthorized)
	}
	wantLater(t, try("2001:db8:0:1:ffff::1"))
	wantStatus(t, try("2001:db8:0:2::1"), http.StatusUnauthorized)
}

// Anybody can name a public client. What they make the server write down is
// bounded for their address, and nobody else's use of the client is.
func TestWhatPublicClientsAskForIsBoundedForEachAddress(t *testing.T) {
	w := newWorld(t)
	w.bound(Limits{Public: limit.Rate{Count: 4, Per: time.Minute}})
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	push := func(from string) answer {
		return w.from(from, http.MethodPost, pathPushed, form, url.Values{
			"client_id": {"public"}, "response_type": {"code"}, "redirect_uri": {"http://127.0.0.1/cb"}, "scope": {"openid"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}.Encode())
	}
	for range 4 {
		wantStatus(t, push("198.51.100.1:99"), http.StatusCreated)
	}
	wantLater(t, push("198.51.100.1:99"))
	wantStatus(t, push("198.51.100.2:99"), http.StatusCreated)
	for range 10 { // a client that authenticates is somebody in particular
		form := url.Values{"response_type": {"code"}, "redirect_uri": {"https://c1.example/cb"}, "scope": {"openid"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
		wantStatus(t, w.push(w.C1, form), http.StatusCreated)
	}
}

func TestAnOwnersAppIsToldToWaitAsItsDocumentSays(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	w.bound(Limits{Client: limit.Rate{Count: 2, Per: time.Minute}})
	for range 2 {
		wantStatus(t, o.call(http.MethodGet, pathPolicies+"/nothing", ""), http.StatusNotFound)
	}
	wantLater(t, o.call(http.MethodGet, pathPolicies+"/nothing", ""))
	wantStatus(t, o.call(http.MethodGet, pathPolicies, ""), http.StatusOK)
}

func TestWithoutLimitsNobodyWaits(t *testing.T) {
	w := newWorld(t)
	w.bound(unlimited)
	for range 1000 {
		if a := w.from("198.51.100.1:99", http.MethodGet, pathUserInfo, http.Header{"Authorization": {"Bearer x"}}, ""); a.StatusCode != http.StatusUnauthorized {
			t.Fatal(a.Status)
		}
	}
}

// What good traffic pays at the token endpoint is a look, without an allocation.
func TestAClientInItsBudgetCostsALook(t *testing.T) {
	w := newWorld(t)
	w.bound(Limits{})
	c := &call{r: httptest.NewRequestWithContext(context.Background(), http.MethodPost, pathToken, nil), client: &w.C1.Client}
	rt := route{caller: byClient, path: pathToken}
	if n := testing.AllocsPerRun(100, func() {
		if err := w.Server.admit(rt, c); err != nil {
			t.Error(err)
		}
	}); n > 1 { // the method value
		t.Errorf("%v allocations", n)
	}
}

// Where many are refused at once, refusals come late, for as many as may wait; the
// rest has to connect again. What is good does not wait.
//
// Proves SEC-125.
func TestRefusalsComeLateWhereThereAreMany(t *testing.T) {
	w := newWorld(t)
	w.bound(Limits{Client: limit.Rate{Count: 1, Per: time.Minute}, Refusals: limit.Rate{Count: 1, Per: time.Hour}})
	wantError(t, w.postTicket(w.C1, randomTicket(32)), http.StatusBadRequest, uma.InvalidGrant)
	wantLater(t, w.postTicket(w.C1, randomTicket(32)))
	began := time.Now()
	wantLater(t, w.postTicket(w.C1, randomTicket(32)))
	if took := time.Since(began); took < holdTime {
		t.Errorf("the second refusal came after %v, too soon", took)
	}
	for range mostHeld {
		w.Server.held <- struct{}{}
	}
	a := w.from("192.0.2.1:1", http.MethodPost, pathToken, http.Header{
		"Authorization": {basic("c1", w.C1.Secret)}, "Content-Type": {"application/x-www-form-urlencoded"},
	}, "grant_type=x")
	wantLater(t, a)
	if got := a.Header.Get("Connection"); got != "close" {
		t.Errorf("one too many is refused with Connection %q", got)
	}
}
