package rs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// double is an authorization server that speaks with its own bytes. It says
// what a test puts into it, and more: members that nobody knows are in every
// answer.
type double struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	pats      map[string]Owner                     // PAT → owner
	resources map[Owner]map[string]json.RawMessage // id → description
	next      int
	tokens    map[string]string // RPT → introspection answer
	seen      []seen
	// intercept answers a request instead of the double, if it returns true.
	intercept func(w http.ResponseWriter, r *http.Request) bool
}

type seen struct{ method, path, pat, kind, body string }

func newDouble(t *testing.T) *double {
	d := &double{t: t, pats: map[string]Owner{"pat-alice": "alice", "pat-anna": "anna"}, resources: map[Owner]map[string]json.RawMessage{}, tokens: map[string]string{}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	pat, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	d.seen = append(d.seen, seen{r.Method, r.URL.Path, pat, r.Header.Get("Content-Type"), string(body)})
	if d.intercept != nil && d.intercept(w, r) {
		return
	}
	if r.URL.Path == "/.well-known/uma2-configuration" {
		d.say(w, 200, `{"issuer":"%[1]s","token_endpoint":"%[1]s/token","permission_endpoint":"%[1]s/permission",
			"introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/rreg/","x_unknown":[{"a":1}]}`, d.URL)
		return
	}
	owner, ok := d.pats[pat]
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		d.say(w, 401, `{"error":"invalid_token","x_unknown":1}`)
		return
	}
	switch id, registration := strings.CutPrefix(r.URL.Path, "/rreg/"); {
	case registration:
		d.register(w, r.Method, owner, id, body)
	case r.URL.Path == "/permission":
		d.permission(w, owner, body)
	case r.URL.Path == "/introspect":
		answer, ok := d.tokens[formValue(string(body), "token")]
		if !ok {
			answer = `{"active":false,"x_unknown":1}`
		}
		d.say(w, 200, "%s", answer)
	}
}

func formValue(body, name string) string {
	for _, pair := range strings.Split(body, "&") {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

func (d *double) say(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, format, args...)
}

func (d *double) register(w http.ResponseWriter, method string, owner Owner, id string, body []byte) {
	mine := d.resources[owner]
	if mine == nil {
		mine = map[string]json.RawMessage{}
		d.resources[owner] = mine
	}
	if id != "" && mine[id] == nil {
		d.say(w, 404, `{"error":"not_found"}`)
		return
	}
	switch {
	case id == "" && method == "GET":
		ids := []string{}
		for id := range mine {
			ids = append(ids, id)
		}
		raw, _ := json.Marshal(ids)
		d.say(w, 200, "%s", raw)
	case id == "" && method == "POST":
		d.next++
		id = idNumber(d.next)
		mine[id] = body
		w.Header().Set("Location", "/rreg/"+url.PathEscape(id))
		d.say(w, 201, `{"_id":%q,"x_unknown":{}}`, id)
	case method == "GET":
		var o map[string]json.RawMessage
		if err := json.Unmarshal(mine[id], &o); err != nil {
			d.t.Error(err)
		}
		o["_id"], o["x_unknown"] = json.RawMessage(fmt.Sprintf("%q", id)), json.RawMessage("null")
		raw, _ := json.Marshal(o)
		d.say(w, 200, "%s", raw)
	case method == "PUT":
		mine[id] = body
		d.say(w, 200, `{"_id":%q}`, id)
	case method == "DELETE":
		delete(mine, id)
		w.WriteHeader(204)
	}
}

// idNumber is an id with all that a path could take amiss: ids are anybody's
// strings.
func idNumber(n int) string { return fmt.Sprintf("id/%d?a b%%41", n) }

// permission insists, as the specification does, on registered resources and
// scopes.
func (d *double) permission(w http.ResponseWriter, owner Owner, body []byte) {
	list := []uma.Permission{}
	if strings.HasPrefix(string(body), "{") {
		body = []byte("[" + string(body) + "]")
	}
	if err := json.Unmarshal(body, &list); err != nil || strings.Contains(string(body), "null") {
		d.say(w, 400, `{"error":"invalid_request"}`)
		return
	}
	for _, p := range list {
		raw, ok := d.resources[owner][string(p.Resource)]
		if !ok {
			d.say(w, 400, `{"error":"invalid_resource_id"}`)
			return
		}
		for _, s := range p.Scopes {
			if !strings.Contains(string(raw), fmt.Sprintf("%q", s)) {
				d.say(w, 400, `{"error":"invalid_scope"}`)
				return
			}
		}
	}
	d.next++
	d.say(w, 201, `{"ticket":"ticket-%d","x_unknown":"y"}`, d.next)
}

// asked returns what was asked at a path since the last call of forget.
func (d *double) asked(path string) []seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []seen
	for _, s := range d.seen {
		if strings.HasPrefix(s.path, path) {
			out = append(out, s)
		}
	}
	return out
}

func (d *double) forget() { d.locked(func() { d.seen = nil }) }

func (d *double) locked(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// idOf finds the id under which a key is registered.
func (d *double) idOf(owner Owner, key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, raw := range d.resources[owner] {
		if strings.Contains(string(raw), fmt.Sprintf(`"resource_key":%q`, key)) {
			return id
		}
	}
	return ""
}

// issue makes an RPT with permissions that end at different times; exp 0 is no
// end.
func (d *double) issue(token string, permissions string, more ...string) {
	d.locked(func() {
		d.tokens[token] = `{"active":true,"x_unknown":[1],"permissions":[` + permissions + `]` + strings.Join(more, "") + `}`
	})
}

func permission(id string, scopes string, more ...string) string {
	return fmt.Sprintf(`{"resource_id":%q,"resource_scopes":[%s],"x_unknown":0%s}`, id, scopes, strings.Join(more, ""))
}

// clock is a time that only tests move.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.seconds.Store(1_700_000_000)
	return c
}

func (c *clock) now() time.Time          { return time.Unix(c.seconds.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

// photos is a resource server with the album and the diary of two owners. GET
// needs view and PUT needs edit; /{owner}/both needs two resources.
type photos struct {
	*Server
	as      *double
	clock   *clock
	handled atomic.Int64
	grants  []Grant
	alarms  []error
	mu      sync.Mutex
}

func routePhotos(r *http.Request) (Access, error) {
	scope := map[string]uma.Scope{"GET": "view", "PUT": "edit"}[r.Method]
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(part) == 2 && part[1] == "album", len(part) == 2 && part[1] == "diary":
		return Access{Owner: Owner(part[0]), Needs: []Need{{part[1], []uma.Scope{scope}}}}, nil
	case len(part) == 2 && part[1] == "both":
		return Access{Owner: Owner(part[0]), Needs: []Need{{"album", []uma.Scope{"view", "edit"}}, {"diary", nil}}}, nil
	case len(part) == 2 && part[1] == "unregistered":
		return Access{Owner: Owner(part[0]), Needs: []Need{{"unregistered", nil}}}, nil
	case len(part) == 2 && part[1] == "print":
		return Access{Owner: Owner(part[0]), Needs: []Need{{"album", []uma.Scope{"print"}}}}, nil
	case part[0] == "closed":
		return Access{}, fmt.Errorf("closed on Sundays")
	case part[0] == "nothing":
		return Access{}, nil
	}
	return Access{Unprotected: true}, nil
}

func resources() []Resource {
	return []Resource{
		{Key: "album", Name: "Photo album", Scopes: []uma.Scope{"view", "edit"}},
		{Key: "diary", Scopes: []uma.Scope{"view", "edit"}},
	}
}

// newPhotos starts both parts and registers the resources.
func newPhotos(t *testing.T, change ...func(*Config)) *photos {
	p := &photos{as: newDouble(t), clock: newClock()}
	c := Config{
		Issuer: p.as.URL, Route: routePhotos, Now: p.clock.now, Realm: "photos",
		PAT: StaticPAT{"alice": "pat-alice", "anna": "pat-anna"},
		Alarm: func(_ context.Context, _ Owner, err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.alarms = append(p.alarms, err)
		},
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if p.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []Owner{"alice", "anna"} {
		if err := p.Sync(t.Context(), owner, resources()); err != nil {
			t.Fatal(err)
		}
	}
	p.as.forget()
	return p
}

// ServeHTTP is the API behind the guard.
func (p *photos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.handled.Add(1)
	if g, ok := FromContext(r.Context()); ok {
		p.mu.Lock()
		p.grants = append(p.grants, g)
		p.mu.Unlock()
	}
	io.WriteString(w, "the photos of "+r.URL.Path)
}

// call does one request, with an RPT unless it is empty.
func (p *photos) call(method, path, token string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return p.do(r)
}

func (p *photos) do(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	p.Guard(p).ServeHTTP(w, r)
	return w.Result()
}

func text(res *http.Response) string {
	body, _ := io.ReadAll(res.Body)
	return string(body)
}
