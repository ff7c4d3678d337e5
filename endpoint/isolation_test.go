package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The isolation matrix: every route of the table, every method, everybody who may
// come with a token or without, and every object they may name. Whoever is not
// entitled to an object is told the same as for one that does not exist, learns no
// id, and changes nothing of anybody's.

// holding is what a person has at a resource server: one of everything that can be
// named.
type holding struct {
	who        resident
	rs         registered
	resource   string
	policy     string
	request    string
	connection string
	group      string
	member     string
	block      string
	rpt        string
	app        string // a client that registered itself
	appToken   string // its registration access token
}

// secrets are what nobody else may be shown.
func (h holding) secrets() []string {
	return []string{h.resource, h.policy, h.request, h.connection, h.group, h.member, h.block, h.rpt, h.app, h.appToken}
}

// nothing names a holding that nobody has.
func nothing() holding {
	id := func() string { return "0" + strings.ToLower(strings.Repeat("abcdefg", 5)) }
	return holding{
		resource: id(), policy: id(), request: id(), connection: id(), group: id(), member: id(), block: id(), rpt: strings.Repeat("A", 51),
		app: id(), appToken: strings.Repeat("A", 43),
	}
}

// visitor is somebody who comes to the server with whatever they have.
type visitor struct {
	name   string
	header http.Header
	// what this authority is good for: the resources of a person at a resource
	// server, the policies of a person, or a client that registered itself. All nil: for
	// nothing here.
	pat   *holding
	owner *resident
	app   *holding
}

// named says how a route is called so that it names an object, and whether it
// names one.
type named struct {
	path  func(h holding) string
	body  func(h holding) (contentType, body string)
	names bool // a refusal has to be an error; otherwise the object only narrows what is said
}

// namesFor says whether a request of this method names the object. A GET has no
// body, so only the path can.
func (n named) namesFor(method string) bool {
	return n.names && (method != http.MethodGet && method != http.MethodHead || n.path(holding{}) != n.path(nothing()))
}

func plainPath(path string) func(holding) string { return func(holding) string { return path } }

func form(values func(h holding) url.Values) func(holding) (string, string) {
	return func(h holding) (string, string) { return "application/x-www-form-urlencoded", values(h).Encode() }
}

func document(text func(h holding) string) func(holding) (string, string) {
	return func(h holding) (string, string) { return "application/json", text(h) }
}

func none(holding) (string, string) { return "", "" }

// howToName has an entry for every path of the route table. A new route without
// one fails the test.
func howToName() map[string]named {
	description := document(func(holding) string { return `{"name":"new","resource_scopes":["view"]}` })
	anyone := document(func(h holding) string {
		return `{"resource_id":"` + h.resource + `","resource_scopes":["view"],"anyone":true}`
	})
	byID := func(path string, id func(holding) string, more string) func(holding) string {
		return func(h holding) string { return path + "/" + id(h) + more }
	}
	resource := func(h holding) string { return h.resource }
	request := func(h holding) string { return h.request }
	group := func(h holding) string { return h.group }
	fixed := func(path string) named { return named{plainPath(path), none, false} }
	posted := func(path string, values func(holding) url.Values) named {
		return named{plainPath(path), form(values), false}
	}
	token := func(h holding) url.Values { return url.Values{"token": {h.rpt}} }
	return map[string]named{
		pathUMAConfiguration: fixed(pathUMAConfiguration), pathOAuthConfiguration: fixed(pathOAuthConfiguration),
		pathOpenIDConfiguration: fixed(pathOpenIDConfiguration), pathJWKS: fixed(pathJWKS), pathOpenAPI: fixed(pathOpenAPI), pathAssets: fixed(page.AssetsPath + "licet.css"), pathLanguage: fixed(pathLanguage),
		pathAuthorize: fixed(pathAuthorize), pathClaims: fixed(pathClaims), pathClaimsVisit: fixed(pathClaimsVisit),
		pathSignInCode: fixed(pathSignInCode), pathFirst: fixed(pathFirst), pathWays: fixed(pathWays), pathLink: fixed(pathLink),
		pathOpen: fixed("/l/x"), pathOpened: fixed(pathOpened),
		pathSignInTo: fixed("/sign-in/to/x"), pathSignInFrom: fixed("/sign-in/from/x"),
		pathSignIn: fixed(pathSignIn), pathSignOut: fixed(pathSignOut), pathEndSession: fixed(pathEndSession), pathUserInfo: fixed(pathUserInfo),
		pathToken: posted(pathToken, func(h holding) url.Values {
			return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.rpt}}
		}),
		pathPushed: posted(pathPushed, func(h holding) url.Values { return url.Values{"client_id": {"c1"}, "login_hint": {h.who.Email}} }),
		pathRevoke: posted(pathRevoke, token), pathIntrospect: posted(pathIntrospect, token),

		pathRegister: {plainPath(pathRegister), document(func(h holding) string { return `{"client_name":"` + h.app + `"}` }), false},
		pathRegister + "/{id}": {byID(pathRegister, func(h holding) string { return h.app }, ""), document(func(h holding) string {
			return `{"client_id":"` + h.app + `","client_name":"new","grant_types":[]}`
		}), true},

		pathResources:           {plainPath(pathResources), description, false},
		pathResources + "/{$}":  {plainPath(pathResources + "/"), description, false},
		pathResources + "/{id}": {byID(pathResources, resource, ""), description, true},
		pathPermission: {plainPath(pathPermission), document(func(h holding) string {
			return `{"resource_id":"` + h.resource + `","resource_scopes":["view"]}`
		}), true},

		pathOwnedResources: fixed(pathOwnedResources), pathOwnedResources + "/{id}": {byID(pathOwnedResources, resource, ""), none, true},
		pathPolicies:                   {plainPath(pathPolicies), anyone, true},
		pathPolicies + "/{id}":         {byID(pathPolicies, func(h holding) string { return h.policy }, ""), anyone, true},
		pathRequests:                   fixed(pathRequests),
		pathRequests + "/{id}":         {byID(pathRequests, request, ""), none, true},
		pathRequests + "/{id}/approve": {byID(pathRequests, request, "/approve"), none, true},
		pathRequests + "/{id}/deny":    {byID(pathRequests, request, "/deny"), none, true},
		pathConnections:                fixed(pathConnections),
		pathConnections + "/{id}":      {byID(pathConnections, func(h holding) string { return h.connection }, ""), none, true},
		pathRequests + "/{id}/aside":   {byID(pathRequests, request, "/aside"), none, true},
		pathRequests + "/{id}/block":   {byID(pathRequests, request, "/block"), none, true},
		pathBlocks:                     fixed(pathBlocks),
		pathBlocks + "/{id}":           {byID(pathBlocks, func(h holding) string { return h.block }, ""), none, true},
		pathGroups:                     {plainPath(pathGroups), document(func(holding) string { return `{"name":"family"}` }), false},
		pathGroups + "/{id}":           {byID(pathGroups, group, ""), document(func(holding) string { return `{"name":"choir"}` }), true},
		pathGroups + "/{id}/members":   {byID(pathGroups, group, "/members"), document(func(holding) string { return `{"email":"dave@example.com"}` }), true},
		pathMembers + "/{id}":          {byID(pathMembers, func(h holding) string { return h.member }, ""), none, true},
		pathStop:                       fixed(pathStop),
	}
}

// estate is a world in which Alice and Anna have things at both resource servers.
type estate struct {
	*world
	holdings []*holding
	visitors []visitor
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{world: newWorld(t)}
	for _, who := range []resident{e.Alice, e.Anna} {
		for _, rs := range []registered{e.RS1, e.RS2} {
			e.holdings = append(e.holdings, e.furnish(who, rs))
		}
	}
	e.visitors = e.everybody()
	return e
}

// furnish gives a person one of everything at a resource server.
func (e *estate) furnish(who resident, rs registered) *holding {
	e.t.Helper()
	ctx := context.Background()
	pat, err := e.AS.AuthenticatePAT(ctx, e.pat(rs, who))
	e.must(err)
	h := &holding{who: who, rs: rs, connection: string(pat.Grant)}
	id := e.resource(e.pat(rs, who), "photo", "view", "edit")
	h.resource = string(id)
	h.policy = string(e.share(who, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true}).ID)
	e.share(who, policy.Share{Resource: id, Scopes: []uma.Scope{"edit"}, Claims: withEmail(), Ask: true})
	h.group = e.family(who)
	m, err := e.AS.AddMember(ctx, as.Owner{Space: who.Space, Account: who.ID}, policy.GroupID(h.group), "eve@example.com")
	e.must(err)
	h.member = string(m.ID)
	ask := func(c registered, party resident, scope uma.Scope) (as.Result, error) {
		ticket, err := e.AS.RequestPermissions(ctx, pat, []uma.Permission{{Resource: id, Scopes: []uma.Scope{scope}}})
		e.must(err)
		handle, err := e.AS.BeginInteraction(ctx, c.Client, ticket, as.Interaction{RedirectURI: c.ClaimsRedirectURIs[0]})
		e.must(err)
		next, _, err := e.AS.FinishInteraction(ctx, handle, party.ID, as.Said{})
		e.must(err)
		return e.AS.Redeem(ctx, c.Client, uma.TokenRequest{Ticket: next}, "")
	}
	got, err := ask(e.C1, e.Bob, "view")
	e.must(err)
	h.rpt = got.(as.Granted).AccessToken
	_, err = ask(e.C1, e.Bob, "edit")
	e.must(err)
	pending, err := e.AS.Requests(ctx, as.Owner{Space: who.Space, Account: who.ID}, as.RequestPending, as.Page{Limit: 100})
	e.must(err)
	for _, q := range pending {
		if q.ResourceServer == rs.ID {
			h.request = string(q.ID)
		}
	}
	if h.request == "" {
		e.t.Fatal("nobody was asked")
	}
	h.app, h.appToken = e.itself(`{"client_name":"App","grant_types":[]}`)
	owner, party := as.Owner{Space: who.Space, Account: who.ID}, e.person(string(id)+"@example.com", "Dan")
	_, err = ask(e.C2, party, "edit")
	e.must(err)
	pending, err = e.AS.Requests(ctx, owner, as.RequestPending, as.Page{Limit: 100})
	e.must(err)
	for _, q := range pending {
		if q.ResourceServer == rs.ID && q.Client == e.C2.ID {
			b, err := e.AS.RefuseAndBlock(ctx, owner, q.ID, false)
			e.must(err)
			h.block = string(b.ID)
		}
	}
	if h.block == "" {
		e.t.Fatal("nobody was blocked")
	}
	return h
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// everybody is all who may come.
func (e *estate) everybody() []visitor {
	e.t.Helper()
	ctx := context.Background()
	var all []visitor
	for _, h := range e.holdings {
		all = append(all, visitor{h.who.Name + "'s PAT at " + string(h.rs.ID), bearer(e.pat(h.rs, h.who)), h, nil, nil})
		all = append(all, visitor{h.who.Name + "'s app at " + string(h.rs.ID), bearer(h.appToken), nil, nil, h})
	}
	for _, who := range []resident{e.Alice, e.Anna} {
		all = append(all, visitor{who.Name + "'s token for policies", bearer(e.token(e.C1, who, oauth.ScopePolicy)), nil, &who, nil})
	}
	b := e.browser()
	b.signIn(b.get(pathSignIn), e.Alice)
	site, err := url.Parse(e.Issuer)
	e.must(err)
	session := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	for _, c := range b.client.Jar.Cookies(site) {
		session.Add("Cookie", c.Name+"="+c.Value)
	}
	if session.Get("Cookie") == "" {
		e.t.Fatal("Alice is not signed in")
	}
	all = append(all, visitor{name: "Alice's browser", header: session}, visitor{name: "nobody", header: http.Header{}},
		visitor{name: "a random token", header: bearer(strings.Repeat("x", 51))},
		visitor{name: "an RPT", header: bearer(e.holdings[0].rpt)},
		visitor{name: "Alice's token without a scope of ours", header: bearer(e.token(e.C1, e.Alice, oauth.ScopeOpenID))})
	for kind, scope := range map[string]uma.Scope{"PAT": uma.ScopeProtection, "token for policies": oauth.ScopePolicy} {
		client := map[uma.Scope]registered{uma.ScopeProtection: e.RS1, oauth.ScopePolicy: e.C1}[scope]
		answer, err := e.AS.IssueToken(ctx, client.ID, e.Alice.ID, e.Alice.Space, scope)
		e.must(err)
		e.must(e.AS.Revoke(ctx, client.Client, answer.AccessToken))
		all = append(all, visitor{name: "a revoked " + kind + " of Alice's", header: bearer(answer.AccessToken)})
		if answer.RefreshToken != "" {
			all = append(all, visitor{name: "a refresh token of Alice's, for a " + kind, header: bearer(answer.RefreshToken)})
		}
	}
	return all
}

// expire adds visitors whose tokens have run out. Everybody else's are made after.
func (e *estate) expire() {
	e.t.Helper()
	old := []visitor{
		{name: "an expired PAT of Alice's", header: bearer(e.pat(e.RS1, e.Alice))},
		{name: "an expired token for policies of Alice's", header: bearer(e.token(e.C1, e.Alice, oauth.ScopePolicy))},
	}
	e.Clock.Advance(e.AS.Lifetimes.PAT)
	e.holdings[0].rpt = "" // its RPT is over, too; furnish again
	for i, h := range e.holdings {
		e.holdings[i] = e.furnish(h.who, h.rs)
	}
	e.visitors = append(e.everybody(), old...)
}

// entitled says whether the visitor may use the route on what is the holder's.
func entitled(v visitor, rt route, h holding) bool {
	switch rt.caller {
	case byPAT, byPATOrClient:
		return v.pat != nil && v.pat.who.ID == h.who.ID && v.pat.rs.ID == h.rs.ID
	case byOwner:
		return v.owner != nil && v.owner.ID == h.who.ID
	case byRegistered:
		return v.app != nil && v.app.app == h.app
	default:
		return false
	}
}

// own says whether the visitor may know what is the holder's at all.
func own(v visitor, h holding) bool {
	return v.pat != nil && v.pat.who.ID == h.who.ID && v.pat.rs.ID == h.rs.ID || v.owner != nil && v.owner.ID == h.who.ID || v.app != nil && v.app.app == h.app
}

func (e *estate) visit(v visitor, how named, method string, h holding) answer {
	e.t.Helper()
	contentType, body := how.body(h)
	header := v.header.Clone()
	if method == http.MethodGet || method == http.MethodHead {
		contentType, body = "", ""
	}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return e.do(method, how.path(h), header, body)
}

// trace is an answer as far as it may depend on whether an object exists: not on
// the id that was asked for.
func trace(a answer, h holding) string {
	body := string(a.Body)
	for _, id := range h.secrets() {
		body = strings.ReplaceAll(body, id, "ID")
	}
	header := a.Header.Clone()
	header.Del("Date")
	header.Del("Content-Length")
	names := make([]string, 0, len(header))
	for name, values := range header {
		value := strings.Join(values, ", ")
		if name == "Content-Security-Policy" || name == "Set-Cookie" { // with a nonce, or a cookie of this answer
			value, _, _ = strings.Cut(value, "=")
			value, _, _ = strings.Cut(value, "nonce-")
		}
		for _, id := range h.secrets() {
			value = strings.ReplaceAll(value, id, "ID")
		}
		names = append(names, name+": "+value)
	}
	slices.Sort(names)
	return fmt.Sprintln(a.StatusCode, names, body)
}

// hash is of everything that a person has.
func (e *estate) hash(who resident) [32]byte {
	e.t.Helper()
	h := sha256.New()
	e.must(e.Store.View(context.Background(), func(r as.Reader) error {
		h.Reset()
		write := func(v any, err error) {
			e.must(err)
			e.must(json.NewEncoder(h).Encode(v))
		}
		page := as.Page{Limit: 10_000}
		space, err := r.Space(who.Space)
		write(space, err)
		account, err := r.Account(who.ID)
		write(account, err)
		resources, err := r.ResourcesInSpace(who.Space, page)
		write(resources, err)
		shares, err := r.Shares(who.Space, page)
		write(shares, err)
		requests, err := r.Requests(who.Space, "", page)
		write(requests, err)
		grants, err := r.GrantsIn(who.Space, page)
		write(grants, err)
		for _, mine := range e.holdings {
			if mine.who.ID != who.ID {
				continue
			}
			c, err := r.Client(oauth.ClientID(mine.app))
			if !errors.Is(err, as.ErrNotFound) {
				write(c, err)
			}
		}
		seq, head, err := r.HistoryHead(who.Space)
		write(seq, err)
		h.Write(head)
		return nil
	}))
	return [32]byte(h.Sum(nil))
}

func (e *estate) hashes() map[string][32]byte {
	return map[string][32]byte{"Alice": e.hash(e.Alice), "Anna": e.hash(e.Anna)}
}

var everyMethod = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// finding is a cell that says or does what it must not.
type finding func(format string, args ...any)

// judgeCell looks at what one visitor is told about what is not theirs.
func (e *estate) judgeCell(complain finding, v visitor, rt route, how named, h holding, a answer) {
	if a.StatusCode >= 500 {
		complain("%d", a.StatusCode)
	}
	_, asked := how.body(h)
	asked += how.path(h)
	for _, other := range e.holdings {
		if own(v, *other) {
			continue
		}
		for _, secret := range other.secrets() {
			if strings.Contains(string(a.Body), secret) && !strings.Contains(asked, secret) {
				complain("it learns %s of %s's", secret, other.who.Name)
			}
		}
	}
	if how.namesFor(a.Request.Method) && a.StatusCode < 400 {
		complain("%d for what is not theirs: %s", a.StatusCode, a.Body)
	}
	if rt.path == pathIntrospect && rt.method == a.Request.Method && a.StatusCode == http.StatusOK && strings.TrimSpace(string(a.Body)) != `{"active":false}` {
		complain("it is told %s", a.Body)
	}
}

// matrix runs all cells in which nothing may be granted, and returns how many.
func (e *estate) matrix(complain func(cell string) finding, table []route) int {
	how := howToName()
	byPath := map[string]route{}
	for _, rt := range table {
		if _, ok := how[rt.path]; !ok {
			complain(rt.path)("there is no entry that says how to call it")
			continue
		}
		byPath[rt.path] = rt
	}
	cells := 0
	for path, rt := range byPath {
		for _, method := range everyMethod {
			i := slices.IndexFunc(table, func(r route) bool { return r.path == path && r.method == method })
			called := rt
			if i >= 0 {
				called = table[i]
			}
			for _, v := range e.visitors {
				before := e.hashes()
				absent := nothing()
				want := trace(e.visit(v, how[path], method, absent), absent)
				cells++
				for _, h := range e.holdings {
					if entitled(v, called, *h) && i >= 0 {
						continue // what is granted is tried in a world of its own
					}
					if v.owner != nil && called.caller == byOwner && !how[path].namesFor(method) || v.pat != nil && called.caller == byPAT && !how[path].namesFor(method) {
						continue // their own list, their own new resource
					}
					cell := complain(fmt.Sprintf("%s %s by %s about %s's at %s", method, path, v.name, h.who.Name, h.rs.ID))
					a := e.visit(v, how[path], method, *h)
					cells++
					if got := trace(a, *h); got != want && !(method == http.MethodGet && called.face == facePage) {
						cell("what exists is told apart from what does not:\n%s%s", got, want)
					}
					e.judgeCell(cell, v, called, how[path], *h, a)
				}
				for name, after := range e.hashes() {
					theirs := v.owner != nil && v.owner.Name == name || v.pat != nil && v.pat.who.Name == name || v.app != nil && v.app.who.Name == name
					if after != before[name] && !theirs {
						complain(fmt.Sprintf("%s %s by %s", method, path, v.name))("something of %s's has changed", name)
					}
				}
			}
		}
	}
	return cells
}

// Proves SEC-012, SEC-016, SEC-020, SEC-030, SEC-031.
func TestNobodyReachesWhatIsNotTheirs(t *testing.T) {
	e := newEstate(t)
	e.expire()
	if testing.Short() {
		e.visitors = slices.DeleteFunc(e.visitors, func(v visitor) bool { return v.pat == nil && v.owner == nil && v.app == nil })
	}
	cells := e.matrix(func(cell string) finding {
		return func(format string, args ...any) { t.Errorf("%s: %s", cell, fmt.Sprintf(format, args...)) }
	}, routes())
	t.Logf("%d cells", cells)
	if want := 5000; cells < want && !testing.Short() {
		t.Errorf("the matrix has %d cells, want %d", cells, want)
	}
}

// What is theirs they reach, each in a world of its own, and nobody else's is
// touched by it. Without this the matrix could be of a server that refuses
// everything.
//
// Proves SEC-020.
func TestEverybodyReachesWhatIsTheirs(t *testing.T) {
	how := howToName()
	granted := 0
	for _, rt := range routes() {
		if rt.caller != byPAT && rt.caller != byOwner && rt.caller != byRegistered && rt.path != pathIntrospect {
			continue
		}
		if testing.Short() && rt.method != http.MethodGet {
			continue
		}
		e := newEstate(t)
		for _, v := range e.visitors {
			if v.owner == nil && v.pat == nil && v.app == nil {
				continue
			}
			var h *holding
			for _, mine := range e.holdings {
				if entitled(v, rt, *mine) {
					h = mine
				}
			}
			if h == nil {
				continue
			}
			before := e.hashes()
			a := e.visit(v, how[rt.path], rt.method, *h)
			if a.StatusCode >= 300 {
				t.Errorf("%s %s by %s: %d %s", rt.method, rt.path, v.name, a.StatusCode, a.Body)
			}
			granted++
			for name, after := range e.hashes() {
				if name != h.who.Name && after != before[name] {
					t.Errorf("%s %s by %s changes something of %s's", rt.method, rt.path, v.name, name)
				}
			}
			break
		}
	}
	if granted < 15 && !testing.Short() {
		t.Errorf("only %d routes were reached", granted)
	}
}

// The control: a route that forgets who asks is noticed, and so is one that the
// matrix does not know.
func TestTheMatrixNoticesARouteThatForgetsWhoAsks(t *testing.T) {
	e := newEstate(t)
	e.visitors = slices.DeleteFunc(e.visitors, func(v visitor) bool { return v.pat == nil })
	leaky := routes()
	for i, rt := range leaky {
		if rt.path == pathResources+"/{id}" && rt.method == http.MethodDelete {
			leaky[i].handle = func(s *Server, c *call) error {
				for _, h := range e.holdings {
					if h.resource == c.r.PathValue("id") {
						pat := as.PAT{Space: h.who.Space, ResourceServer: h.rs.ID}
						if err := s.AS.DeregisterResource(c.r.Context(), pat, uma.ResourceID(h.resource)); err != nil {
							return err
						}
					}
				}
				c.w.WriteHeader(http.StatusNoContent)
				return nil
			}
		}
	}
	leaky = append(leaky, route{http.MethodGet, "/unknown", anybody, faceProblem, func(*Server, *call) error { return nil }})
	e.Server.mux = e.Server.muxOf(leaky)
	var found []string
	e.matrix(func(cell string) finding {
		return func(format string, args ...any) { found = append(found, cell+": "+fmt.Sprintf(format, args...)) }
	}, leaky)
	for _, want := range []string{"something of Anna's has changed", "there is no entry", "for what is not theirs"} {
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("the matrix does not say %q; it says\n%s", want, strings.Join(found, "\n"))
		}
	}
}
