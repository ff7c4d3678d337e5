package resourceserver

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
)

// deviation is an RPT that must not open the door, by what the authorization
// server says about it.
type deviation struct {
	name   string
	owner  string
	answer map[string]any
}

// insufficient are RPTs about which the authorization server speaks clearly.
func (s *session) insufficient(t *trial.Trial, learned ticket) []deviation {
	good := learned.all()
	out := []deviation{
		{"an inactive RPT", learned.owner, map[string]any{"active": false}},
		{"an inactive RPT that still has permissions", learned.owner, with(good, "active", false)},
		{"an active RPT without a permission", learned.owner, with(good, "permissions", []any{})},
		{"an RPT for another resource", learned.owner, each(good, "resource_id", "res-"+rand.Text())},
		{"an RPT for a resource whose id differs in case", learned.owner, each(good, "resource_id", swapCase(learned.asked[0].Resource))},
	}
	for i, p := range learned.asked {
		if len(learned.asked) > 1 {
			rest := append(append([]asked{}, learned.asked[:i]...), learned.asked[i+1:]...)
			out = append(out, deviation{"an RPT that lacks one of several resources", learned.owner, active(rest)})
		}
		for j, scope := range p.Scopes {
			fewer := append(append([]string{}, p.Scopes[:j]...), p.Scopes[j+1:]...)
			for _, variant := range []struct {
				name   string
				scopes []string
			}{
				{"an RPT without the scope " + scope, fewer},
				{"an RPT whose scope begins with " + scope, append(slices.Clone(fewer), scope+"-not")},
				{"an RPT whose scope is " + scope + " in another case", append(slices.Clone(fewer), swapCase(scope))},
			} {
				list := append([]asked{}, learned.asked...)
				list[i] = asked{p.Resource, variant.scopes}
				out = append(out, deviation{variant.name, learned.owner, active(list)})
			}
			// The scope is there, on another resource.
			list := append([]asked{}, learned.asked...)
			list[i] = asked{p.Resource, fewer}
			out = append(out, deviation{"an RPT with the scope on another resource", learned.owner,
				active(append(list, asked{"res-" + rand.Text(), p.Scopes}))})
		}
	}
	return out
}

// doubtful are RPTs about which the authorization server says something that no
// access may be built on.
func doubtful(learned ticket) []deviation {
	good := learned.all()
	without := with(good)
	delete(without, "active")
	plain := map[string]any{"active": true, "scope": strings.Join(learned.asked[0].Scopes, " ")}
	return []deviation{
		{"an RPT of another issuer", learned.owner, with(good, "iss", "https://other.example")},
		{"a token bound to a key, shown without proof", learned.owner,
			with(good, "token_type", "DPoP", "cnf", map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})},
		{"an OAuth access token that is no RPT", learned.owner, plain},
		{"an answer without active", learned.owner, without},
		{"active as a string", learned.owner, with(good, "active", "true")},
		{"permissions that are no array", learned.owner, with(good, "permissions", good["permissions"].([]any)[0])},
		{"a resource id that is no string", learned.owner, each(good, "resource_id", 1)},
		{"scopes that are no array", learned.owner, each(good, "resource_scopes", strings.Join(learned.asked[0].Scopes, " "))},
	}
}

func swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// refusedWithTicket: Grant 3.5 answers an RPT that is not good for the request
// like no RPT at all.
func refusedWithTicket(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	seen := map[string]bool{}
	refused := func(what, rpt string) {
		v := s.call(t, s.Read, rpt)
		got := s.challenged(t, v, what)
		if seen[got] {
			t.Fault(v.messages(), "%s: the ticket was handed out before", what)
		}
		seen[got] = true
	}
	refused("no RPT", "")
	refused("an unknown RPT", "rpt-"+rand.Text())
	for _, d := range s.insufficient(t, learned) {
		if d.answer["active"] == true && sameID(d, learned) {
			continue // an id that has no letters
		}
		refused(d.name, s.double.show(d.owner, d.answer))
	}
	for _, d := range timed(learned) {
		if !d.good {
			refused(d.name, s.double.show(learned.owner, d.answer))
		}
	}
}

// sameID says whether a deviation by case does not deviate.
func sameID(d deviation, learned ticket) bool {
	return fmt.Sprint(d.answer) == fmt.Sprint(learned.all())
}

func noAccess(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	refused := func(what string, r *Request, rpt string) {
		if v := s.call(t, r, rpt); v.granted() {
			t.Fault(v.messages(), "%s opens %s %s", what, r.Method, r.Path)
		}
	}
	refused("an unknown RPT", s.Read, "rpt-"+rand.Text())
	for _, d := range append(s.insufficient(t, learned), doubtful(learned)...) {
		if !sameID(d, learned) {
			refused(d.name, s.Read, s.double.show(d.owner, d.answer))
		}
	}
	// What is good at one place is not at another.
	for _, r := range []*Request{s.Write, s.Other, s.Foreign} {
		if r == nil {
			continue
		}
		elsewhere := s.learn(t, r)
		refused("an RPT for "+r.Method+" "+r.Path, s.Read, s.double.show(elsewhere.owner, elsewhere.all()))
		refused("an RPT for "+s.Read.Method+" "+s.Read.Path, r, s.double.show(learned.owner, learned.all()))
	}
	// The answer does not come at all.
	for _, failure := range failures {
		s.double.play(script{instead: at(pathIntrospect, failure.instead)})
		v := s.call(t, s.Read, s.double.show(learned.owner, learned.all()))
		s.settle(t)
		if v.granted() {
			t.Fault(v.messages(), "introspection that %s opens %s", failure.name, s.Read.Path)
		}
	}
}

// failures are what an endpoint may do instead of an answer.
var failures = []struct {
	name    string
	instead http.HandlerFunc
}{
	{"closes the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"answers 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
	{"answers 503 in HTML", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html>Come back later.</html>")) // into memory
	}},
	{"refuses every PAT", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_token"}`)) // into memory
	}},
	{"answers what is no JSON", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"active":tr`)) // into memory
	}},
	{"answers an empty object", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{}`)) // into memory
	}},
}

// at answers only one path.
func at(path string, instead http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		instead(w, r)
		return true
	}
}

// timing is an RPT with times in it.
type timing struct {
	name   string
	good   bool
	answer map[string]any
}

// timed are all the ways in which the token's and the permission's times can
// disagree (FedAuthz 5.1.1).
func timed(learned ticket) []timing {
	good := learned.all()
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	return []timing{
		{"a permission and a token that both last", true, each(with(good, "exp", future, "iat", past, "nbf", past), "exp", future, "iat", past, "nbf", past)},
		{"a token that lasts, a permission without times", true, with(good, "exp", future)},
		{"a permission that has ended in a token that lasts", false, each(with(good, "exp", future), "exp", past)},
		{"a permission that has ended in a token without an end", false, each(good, "exp", past)},
		{"a permission that lasts in a token that has ended", false, each(with(good, "exp", past), "exp", future)},
		{"a permission that is not good yet", false, each(with(good, "exp", future, "nbf", past), "nbf", future)},
		{"a permission that is good in a token that is not good yet", false, each(with(good, "nbf", future), "nbf", past)},
	}
}

func stricterTimes(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	for _, d := range timed(learned) {
		v := s.call(t, s.Read, s.double.show(learned.owner, d.answer))
		switch {
		case d.good && !v.granted():
			t.Fault(v.messages(), "%s: the request is refused", d.name)
		case !d.good && v.granted():
			t.Fault(v.messages(), "%s: the request is let through", d.name)
		}
	}
}

// remembered takes permission away in the two ways in which it goes.
func remembered(s *session, t *trial.Trial) {
	rpt, learned, _ := s.admit(t, s.Read)
	s.double.change(rpt, map[string]any{"active": false})
	if !pause(t, s.cache()) {
		return
	}
	if v := s.call(t, s.Read, rpt); v.granted() {
		t.Fault(v.messages(), "an RPT that was revoked %d seconds ago still opens %s", s.CacheSeconds, s.Read.Path)
	}
	end := time.Now().Add(2 * time.Second).Unix()
	short := s.double.show(learned.owner, each(learned.all(), "exp", end))
	if v := s.call(t, s.Read, short); !v.granted() {
		t.Broken(v.messages(), "a permission that lasts two seconds more does not open %s", s.Read.Path)
	}
	if !pause(t, time.Until(time.Unix(end, 0).Add(100*time.Millisecond))) {
		return
	}
	if v := s.call(t, s.Read, short); v.granted() {
		t.Fault(v.messages(), "a permission opens %s after its end", s.Read.Path)
	}
}

// comparedAnew uses one RPT, that may be remembered by now, for something else.
func comparedAnew(s *session, t *trial.Trial) {
	if s.Write == nil && s.Other == nil && s.Foreign == nil {
		t.Skip("the fixture has no second request")
	}
	rpt, _, _ := s.admit(t, s.Read)
	for _, r := range []*Request{s.Write, s.Other, s.Foreign} {
		if r == nil {
			continue
		}
		if v := s.call(t, r, rpt); v.granted() {
			t.Fault(v.messages(), "an RPT for %s %s opens %s %s", s.Read.Method, s.Read.Path, r.Method, r.Path)
		}
	}
	if v := s.call(t, s.Read, rpt); !v.granted() {
		t.Fault(v.messages(), "an RPT that was good before does not open %s any more", s.Read.Path)
	}
}
