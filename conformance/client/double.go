package client

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/conformance/internal/wire"
)

// The parties, as reports name them.
const (
	subject  = "client under test"
	server   = "authorization server (double)"
	stranger = "stranger (double)"
	api      = "API (double)"
)

// The paths of an authorization server double.
const (
	pathToken    = "/token"
	pathInteract = "/claims"
	pathGather   = "/gather" // where redirect_user points
)

const grantType = "urn:ietf:params:oauth:grant-type:uma-ticket"

// ticket is one permission ticket of a double.
type ticket struct {
	value  string
	page   string // of the API, for which it was asked for
	before string // the ticket that a person was sent with, where this one came back
	spent  bool
}

// double is one authorization server of the suite.
type double struct {
	*stage
	name   string
	server *wire.Server
	issuer string

	tickets map[string]*ticket
	steps   []step // answers to the next token requests; then an RPT for each
	script  script
}

// step answers one token request whose ticket was good.
type step func(d *double, w http.ResponseWriter, form url.Values, t *ticket)

// script changes what a double does; its zero value is an honest server.
type script struct {
	// metadata changes the discovery document.
	metadata func(map[string]any)
	// token answers a token request before anything is looked at, if it
	// returns true.
	token func(w http.ResponseWriter, r *http.Request) bool
	// back changes the parameters with which the person goes back.
	back func(url.Values)
	// wait makes the claims interaction endpoint show a page instead of sending
	// the person back.
	wait bool
	// extend adds what nobody knows to every answer.
	extend bool
}

// newTicket makes a ticket for a page of the API.
func (d *double) newTicket(page string) string {
	t := &ticket{value: "tkt-" + rand.Text(), page: page}
	d.tickets[t.value] = t
	return t.value
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/uma2-configuration":
		o := map[string]any{
			"issuer": d.issuer, "token_endpoint": d.issuer + pathToken, "claims_interaction_endpoint": d.issuer + pathInteract + "?static=1",
			"authorization_endpoint": d.issuer + "/authorize", "response_types_supported": []string{"code"},
			"grant_types_supported":                 []string{grantType},
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
			"permission_endpoint":                   d.issuer + "/permission", "resource_registration_endpoint": d.issuer + "/resources",
			"authorization_response_iss_parameter_supported": true,
		}
		if d.script.metadata != nil {
			d.script.metadata(o)
		}
		d.say(w, http.StatusOK, o)
	case pathToken:
		if d.script.token == nil || !d.script.token(w, r) {
			d.token(w, r)
		}
	case pathInteract, pathGather:
		d.interact(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (d *double) say(w http.ResponseWriter, status int, o map[string]any) {
	if d.script.extend {
		o["x_unknown"] = []any{map[string]any{"a": nil}, 1.5, "b"}
	}
	wire.JSON(w, status, o)
}

// token is the token endpoint (Grant 3.3.1).
func (d *double) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		d.wrong("GRANT-C-3.3-01", r, "a token request is no posted form")
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", "a form is posted here")
		return
	}
	form := r.PostForm
	if r.URL.RawQuery != "" {
		d.wrong("GRANT-C-3.3-01", r, "a token request has parameters in its URL")
	}
	if !d.authenticated(r) {
		d.wrong("GRANT-C-3.3-01", r, "the client does not authenticate as it is registered")
		w.Header().Set("WWW-Authenticate", "Basic")
		wire.Refuse(w, http.StatusUnauthorized, "invalid_client", "that is not the client")
		return
	}
	for name, values := range form {
		if len(values) > 1 {
			d.wrong("GRANT-C-3.3.1-02", r, "%s is there %d times", name, len(values))
			wire.Refuse(w, http.StatusBadRequest, "invalid_request", name)
			return
		}
	}
	if (form.Get("claim_token") == "") != (form.Get("claim_token_format") == "") {
		d.wrong("GRANT-C-3.3.1-02", r, "claim_token and claim_token_format are not together")
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", "claim_token without claim_token_format")
		return
	}
	d.claims = append(d.claims, form.Get("claim_token"))
	if form.Get("grant_type") != grantType {
		wire.Refuse(w, http.StatusBadRequest, "invalid_grant", "the refresh token is not good any more")
		return
	}
	t, known := d.tickets[form.Get("ticket")]
	if !known || t.spent {
		d.wrong("GRANT-C-3.3.1-01", r, "the ticket %q is not the newest of a process", form.Get("ticket"))
		wire.Refuse(w, http.StatusBadRequest, "invalid_grant", "the ticket is not good")
		return
	}
	t.spent = true
	next := success
	if len(d.steps) > 0 {
		next = d.steps[0]
		d.steps = d.steps[1:]
	}
	next(d, w, form, t)
}

func (d *double) authenticated(r *http.Request) bool {
	c := d.fixture.Client
	id, secret, basic := r.BasicAuth()
	if basic {
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		return err1 == nil && err2 == nil && id == c.ID && secret == c.Secret && c.Secret != ""
	}
	return r.PostForm.Get("client_id") == c.ID && r.PostForm.Get("client_secret") == c.Secret
}

// interact is the claims interaction endpoint (Grant 3.3.2). Everybody who
// comes is content.
func (d *double) interact(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	t, known := d.tickets[q.Get("ticket")]
	if !known || t.spent {
		d.wrong("GRANT-C-3.3.1-01", r, "the ticket %q of the redirect is not the newest of a process", q.Get("ticket"))
		http.Error(w, "The ticket is not good.", http.StatusBadRequest)
		return
	}
	t.spent = true
	if d.script.wait {
		_, _ = w.Write([]byte("Please wait here.")) // into memory
		return
	}
	u, err := url.Parse(d.fixture.Client.ClaimsRedirectURI)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	back := u.Query()
	next := d.newTicket(t.page)
	d.tickets[next].before = t.value
	back.Set("ticket", next)
	back.Set("iss", d.issuer)
	if q.Has("state") {
		back.Set("state", q.Get("state"))
	}
	if d.script.extend {
		back.Set("x_unknown", "1")
	}
	if d.script.back != nil {
		d.script.back(back)
	}
	u.RawQuery = back.Encode()
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusFound)
}

// success gives an RPT for the page that the ticket is for.
func success(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
	d.say(w, http.StatusOK, d.rpt(t.page))
}

// rpt makes an RPT that is good for some pages.
func (d *double) rpt(pages ...string) map[string]any {
	rpt := "rpt-" + rand.Text()
	d.good[rpt] = pages
	return map[string]any{"access_token": rpt, "token_type": "Bearer", "expires_in": 3600}
}

// needInfo asks for a claim, or, without one, for the person.
func needInfo(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
	d.say(w, http.StatusForbidden, d.info(d.newTicket(t.page)))
}

func (d *double) info(ticket string) map[string]any {
	o := map[string]any{"error": "need_info", "ticket": ticket}
	if d.fixture.PushesClaims {
		o["required_claims"] = []any{map[string]any{
			"name": d.fixture.ClaimName, "friendly_name": "What it is called",
			"claim_token_format": []string{"http://openid.net/specs/openid-connect-core-1_0.html#IDToken"},
		}}
	}
	if d.web {
		o["redirect_user"] = d.issuer + pathGather + "?own=1%2B1"
	}
	return o
}

// submitted makes the client wait for the owner.
func submitted(seconds int) step {
	return func(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
		d.say(w, http.StatusForbidden, map[string]any{"error": "request_submitted", "ticket": d.newTicket(t.page), "interval": seconds})
	}
}

// refuse ends the process.
func refuse(status int, code string) step {
	return func(d *double, w http.ResponseWriter, _ url.Values, _ *ticket) {
		d.say(w, status, map[string]any{"error": code})
	}
}
