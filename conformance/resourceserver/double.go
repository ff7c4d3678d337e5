package resourceserver

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/conformance/internal/wire"
)

// The parties, as reports name them.
const (
	client = "client"
	api    = "API under test"
	server = "authorization server (double)"
)

// The paths of the double.
const (
	pathToken      = "/token"
	pathPermission = "/permission"
	pathIntrospect = "/introspect"
	pathResources  = "/resources"
)

// resource is one registration.
type resource struct {
	owner  string
	scopes []string
	raw    map[string]json.RawMessage
}

// asked is one permission of a permission request.
type asked struct {
	Resource string
	Scopes   []string
}

// ticket is what one permission request brought.
type ticket struct {
	value string
	owner string
	asked []asked
}

// double is the authorization server of the suite. It is strict: what breaks a
// requirement is refused, and remembered as a fault of that requirement.
type double struct {
	fixture *Fixture
	log     wire.Log
	server  *wire.Server
	issuer  string

	mu        sync.Mutex
	pats      map[string]string // PAT → owner
	resources map[string]resource
	tickets   []ticket
	shown     map[string]shown // RPT → what introspection says
	faults    []fault
	script    script
}

// shown is what introspection says of an RPT to its owner's PAT.
type shown struct {
	owner  string
	answer map[string]any
}

// fault is a requirement that a message of the resource server breaks.
type fault struct {
	id, sentence string
	path         string
	mark         int // of the log, before the message was in it
}

// script changes what the double does; its zero value is an honest server.
type script struct {
	// instead answers a request at a path, if it returns true.
	instead func(w http.ResponseWriter, r *http.Request) bool
	// metadata changes the discovery document.
	metadata func(map[string]any)
	// extend adds members that nobody knows to every answer.
	extend bool
}

func newDouble(f *Fixture) (*double, error) {
	d := &double{fixture: f, pats: map[string]string{}, resources: map[string]resource{}, shown: map[string]shown{}}
	for name, o := range f.Owners {
		if o.PAT != "" {
			d.pats[o.PAT] = name
		}
	}
	d.mu.Lock() // nobody is served before the issuer is known
	defer d.mu.Unlock()
	var err error
	if d.server, err = wire.Serve(f.Listen, api, server, &d.log, d); err != nil {
		return nil, err
	}
	if d.issuer = f.Issuer; d.issuer == "" {
		d.issuer = d.server.URL
	}
	return d, nil
}

// play changes the script.
func (d *double) play(s script) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = s
}

// ServeHTTP answers as the script says, else honestly.
func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	s := d.script
	d.mu.Unlock()
	if s.instead != nil && s.instead(w, r) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch path := r.URL.Path; {
	case path == "/.well-known/uma2-configuration":
		d.configuration(w)
	case path == pathToken:
		d.token(w, r)
	case path == pathPermission, path == pathIntrospect, path == pathResources, strings.HasPrefix(path, pathResources+"/"):
		d.protection(w, r)
	default:
		http.NotFound(w, r)
	}
}

// say answers with a JSON object, extended if the script wants it.
func (d *double) say(w http.ResponseWriter, status int, o map[string]any) {
	if d.script.extend {
		o["x_unknown"] = []any{map[string]any{"a": nil}, 1.5, "b"}
	}
	wire.JSON(w, status, o)
}

func (d *double) configuration(w http.ResponseWriter) {
	o := map[string]any{
		"issuer": d.issuer, "token_endpoint": d.issuer + pathToken, "permission_endpoint": d.issuer + pathPermission,
		"introspection_endpoint": d.issuer + pathIntrospect, "resource_registration_endpoint": d.issuer + pathResources,
		"authorization_endpoint": d.issuer + "/authorize", "response_types_supported": []string{"code"},
		"grant_types_supported":                 []string{"urn:ietf:params:oauth:grant-type:uma-ticket", "refresh_token", "client_credentials"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"scopes_supported":                      []string{"uma_protection"},
	}
	if d.script.metadata != nil {
		d.script.metadata(o)
	}
	d.say(w, http.StatusOK, o)
}

// token brings the resource server a PAT (FedAuthz 1.3).
func (d *double) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", "a form is posted here")
		return
	}
	if !d.authenticated(r) {
		w.Header().Set("WWW-Authenticate", "Basic")
		wire.Refuse(w, http.StatusUnauthorized, "invalid_client", "that is not the resource server")
		return
	}
	for name, o := range d.fixture.Owners {
		switch r.PostForm.Get("grant_type") {
		case "refresh_token":
			if o.RefreshToken == "" || o.RefreshToken != r.PostForm.Get("refresh_token") {
				continue
			}
		case "client_credentials":
			if !o.ClientCredentials || !slices.Contains(strings.Fields(r.PostForm.Get("scope")), "uma_protection") {
				continue
			}
		default:
			wire.Refuse(w, http.StatusBadRequest, "unsupported_grant_type", "refresh_token or client_credentials")
			return
		}
		pat := "pat-" + rand.Text()
		d.pats[pat] = name
		d.say(w, http.StatusOK, map[string]any{"access_token": pat, "token_type": "Bearer", "expires_in": 3600, "scope": "uma_protection"})
		return
	}
	wire.Refuse(w, http.StatusBadRequest, "invalid_grant", "there is no such owner")
}

func (d *double) authenticated(r *http.Request) bool {
	c := d.fixture.Client
	id, secret, basic := r.BasicAuth()
	if !basic {
		return c.ID != "" && r.PostForm.Get("client_id") == c.ID && r.PostForm.Get("client_secret") == c.Secret
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	return err1 == nil && err2 == nil && c.ID != "" && id == c.ID && secret == c.Secret
}

// protection is the protection API: PAT first, then the endpoint.
func (d *double) protection(w http.ResponseWriter, r *http.Request) {
	m := wire.Message{From: api, To: server, Method: r.Method, Target: r.RequestURI, Header: r.Header}
	pat := m.Bearer()
	if pat == "" {
		d.wrong("FED-RS-1.3-01", r, "the PAT is not in the Authorization header")
	}
	owner, known := d.pats[pat]
	if !known {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		wire.Refuse(w, http.StatusUnauthorized, "invalid_token", "no PAT of ours")
		return
	}
	switch r.URL.Path {
	case pathPermission:
		d.permission(w, r, owner)
	case pathIntrospect:
		d.introspect(w, r, owner)
	default:
		d.registration(w, r, owner)
	}
}

// wrong remembers a fault of the message that is being answered.
func (d *double) wrong(id string, r *http.Request, format string, args ...any) {
	d.faults = append(d.faults, fault{id: id, sentence: fmt.Sprintf(format, args...), path: r.URL.EscapedPath(), mark: d.log.Mark()})
}

// faulty returns the first fault of a requirement after a number of faults, with
// its message.
func (d *double) faulty(id string, after int) (sentence string, shown []wire.Message, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.faults[after:] {
		if f.id == id {
			shown = d.log.Since(f.mark, server, f.path)
			return f.sentence, shown[:min(1, len(shown))], true
		}
	}
	return "", nil, false
}

// granted returns the tickets that were handed out after a number of them.
func (d *double) granted(after int) []ticket {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tickets[after:])
}

// counts are the numbers of tickets and faults so far.
func (d *double) counts() (tickets, faults int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tickets), len(d.faults)
}

// show makes an RPT. What introspection says of it may be changed later.
func (d *double) show(owner string, answer map[string]any) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	rpt := "rpt-" + rand.Text()
	d.shown[rpt] = shown{owner, answer}
	return rpt
}

// change says something else of an RPT from now on.
func (d *double) change(rpt string, answer map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.shown[rpt]
	s.answer = answer
	d.shown[rpt] = s
}

// secrets are what the double gave to the resource server and nobody else may
// see.
func (d *double) secrets() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for pat := range d.pats {
		out = append(out, pat)
	}
	for _, o := range d.fixture.Owners {
		out = append(out, o.RefreshToken)
	}
	return append(out, d.fixture.Client.Secret)
}
