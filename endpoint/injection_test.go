package endpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// injections are texts that mean something to somebody: a database, a directory,
// a header, a log, a template, a shell, a path, a policy language, a JSON document.
var injections = []string{
	`' OR '1'='1`, `'; DROP TABLE resources; --`, `") OR ("1"="1`, `1) UNION SELECT secret_hash FROM clients --`, `\'; SELECT pg_sleep(9); --`, `$1`, `?`, `%`, `_%`, `:id`,
	`*)(uid=*))(|(uid=*`, "x\r\nX-Injected: yes", "x\r\n\r\n<html>", "x\nSet-Cookie: injected=1", "x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "\x1b[31mred\x1b[0m",
	`{{.}}{{printf "%s" .Form}}`, `${7777*7777}#{7777*7777}<%= 7777*7777 %>`, `${jndi:ldap://127.0.0.1/x}`, "$(id)`id`|id;id", `../../../etc/passwd`, `..%2f..%5c`, `file:///etc/passwd`,
	`"); permit(principal, action, resource); //`, `" || true || "`, `principal is User`, `","anyone":true,"x":"`, `\u0022,\u0022anyone\u0022:true`, "\u202egpj.exe", "a\u0000b", "\u2028", `<script>alert(1)</script>`,
}

// clean fails over an answer into which something was injected.
func (w *world) clean(t testing.TB, name string, a answer) {
	t.Helper()
	if a.StatusCode >= 500 {
		t.Errorf("%s: %s %s", name, a.Status, a.Body)
	}
	for header, values := range a.Header {
		if header == "X-Injected" || strings.ContainsAny(strings.Join(values, ""), "\r\n\x00\x1b") || header == "Set-Cookie" && strings.Contains(strings.Join(values, ""), "injected=1") && !strings.Contains(strings.Join(values, ""), "licet-") {
			t.Errorf("%s: the header %s is %q", name, header, values)
		}
	}
	if strings.Contains(string(a.Body), "60481729") || strings.Contains(string(a.Body), "root:x:") {
		t.Errorf("%s: something was carried out: %s", name, a.Body)
	}
}

// texts calls visit with every text of a JSON document, and with how to write
// the document with another one in its place.
func texts(v any, put func(any) any, visit func(with func(string) any)) {
	switch v := v.(type) {
	case string:
		visit(func(text string) any { return put(text) })
	case []any:
		for i := range v {
			texts(v[i], func(inner any) any {
				other := slices.Clone(v)
				other[i] = inner
				return put(other)
			}, visit)
		}
	case map[string]any:
		for name := range v {
			texts(v[name], func(inner any) any {
				other := maps.Clone(v)
				other[name] = inner
				return put(other)
			}, visit)
		}
	}
}

// with are the filings that have the text in one place each.
func (f filing) with(t testing.TB, text string) (all []filing) {
	t.Helper()
	if f.form != nil {
		for name := range f.form {
			other := f
			other.form = maps.Clone(f.form)
			other.form.Set(name, text)
			all = append(all, other)
		}
		other := f
		other.form = maps.Clone(f.form)
		other.form.Set(text, text)
		return append(all, other)
	}
	var document any
	if err := json.Unmarshal([]byte(f.json), &document); err != nil {
		t.Fatal(err)
	}
	texts(document, func(v any) any { return v }, func(with func(string) any) {
		raw, err := json.Marshal(with(text))
		if err != nil {
			t.Fatal(err)
		}
		other := f
		other.json = string(raw)
		all = append(all, other)
	})
	return all
}

// Whatever is written into whatever field of whatever route, it means nothing to
// anybody: it is refused, or it is a text like any other.
//
// Proves SEC-115.
func TestATextIsATextEverywhere(t *testing.T) {
	w, tap := newTappedWorld(t)
	w.HTTP.Transport = tap.under
	bystander := w.resource(w.pat(w.RS1, w.Carlos), "Carlos's", "view")
	w.share(w.Carlos, policy.Share{Resource: bystander, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})
	e := &estate{world: w}
	before := e.hash(w.Carlos)
	all := injections
	if testing.Short() {
		all = all[:4]
	}
	sent := 0
	var filings map[string]map[string]filing
	for i, text := range all {
		if i%8 == 0 { // what was taken is used up, and what was refused is as it was
			filings = w.filings()
		}
		w.eachOf(filings, func(name string, rt route, f filing) {
			for _, bad := range f.with(t, text) {
				w.clean(t, name+" "+text, w.file(bad, rt.method, bad.path, bad.contentType(), strings.NewReader(bad.body())))
				sent++
			}
		})
		good := map[caller]http.Header{byPAT: bearer(w.pat(w.RS1, w.Alice)), byOwner: bearer(w.token(w.C1, w.Alice, oauth.ScopePolicy))}
		for _, rt := range routes() {
			header := good[rt.caller]
			if header == nil {
				header = http.Header{}
			}
			path := strings.NewReplacer("{id}", url.PathEscape(text), "{$}", "").Replace(rt.path)
			query := url.Values{}
			for _, name := range []string{"after", "limit", "client_id", "ticket", "state", "return", "login_hint", "redirect_uri", "scope", "nonce"} {
				query.Set(name, text)
			}
			queries := []url.Values{query}
			if rt.caller == byOwner { // which refuses a query that it does not know all of
				queries = append(queries, url.Values{"after": {text}}, url.Values{"status": {text}})
			}
			for _, q := range queries {
				w.clean(t, rt.path+" "+text, w.do(rt.method, path+"?"+q.Encode(), header, ""))
				sent++
			}
			if strings.ContainsAny(text, "\r\n\x00\x1b") {
				continue // an HTTP client would not send these in a header
			}
			for _, h := range []http.Header{{"Authorization": {text}}, header.Clone()} {
				for _, name := range []string{"Cookie", "If-Match", "If-None-Match", "Origin", "Referer", "X-Forwarded-For", "X-Forwarded-Host", "Accept-Language", "Content-Type"} {
					h.Set(name, text)
				}
				w.clean(t, rt.path+" "+text, w.do(rt.method, path, h, ""))
				sent++
			}
		}
	}
	t.Logf("%d requests", sent)
	if e.hash(w.Carlos) != before {
		t.Error("something of Carlos's has changed")
	}
	if logged := tap.logged(); logged != "" {
		t.Errorf("something was logged: %s", logged)
	}
}

// What may be written is kept as it is: it comes back byte for byte, and is
// compared as itself.
//
// Proves SEC-115, SEC-128.
func TestATextComesBackAsItWas(t *testing.T) {
	w := newWorld(t)
	pat, o := w.pat(w.RS1, w.Alice), w.owner(w.Alice)
	kept := 0
	for _, text := range injections {
		written := mustJSON(t, text)
		a := w.api(http.MethodPost, pathResources, pat, `{"resource_scopes":["view"],"name":`+written+`,"description":`+written+`,"type":`+written+`,"x_foo":{"deep":[`+written+`]}}`)
		if a.StatusCode == http.StatusBadRequest && strings.Contains(text, "\x00") {
			continue
		}
		wantStatus(t, a, http.StatusCreated)
		id := a.json(t)["_id"].(string)
		read := w.api(http.MethodGet, pathResources+"/"+id, pat, "").json(t)
		owned := o.call(http.MethodGet, pathOwnedResources+"/"+id, "").json(t)
		for _, seen := range []map[string]any{read, owned} {
			if seen["name"] != text || seen["description"] != text || seen["type"] != text || mustJSON(t, seen["x_foo"]) != `{"deep":[`+written+`]}` {
				t.Errorf("%q comes back as %v", text, seen)
			}
		}
		kept++

		wish := `{"resource_id":"` + id + `","resource_scopes":["view"],"purpose":` + written + `,"required_claims":[{"name":"member","value":` + written + `,"issuer":["` + w.Issuer + `"]}]}`
		made := o.call(http.MethodPost, pathPolicies, wish)
		if made.StatusCode != http.StatusBadRequest {
			wantStatus(t, made, http.StatusCreated)
			seen := o.call(http.MethodGet, pathPolicies+"/"+made.json(t)["_id"].(string), "").json(t)
			claim := seen["required_claims"].([]any)[0].(map[string]any)
			if seen["purpose"] != text || mustJSON(t, claim["values"]) != "["+written+"]" {
				t.Errorf("%q comes back as %v", text, seen)
			}
			kept++
		}
		// A condition that was written to open everything opens nothing.
		for _, who := range []resident{w.Bob, w.Carlos} {
			ticket, _ := w.visited(t, who, w.C2, w.ticketFor(pat, uma.ResourceID(id), "view"))
			if got := w.postTicket(w.C2, ticket); ticket != "" && got.StatusCode == http.StatusOK {
				t.Errorf("%q lets %s in", text, who.Name)
			}
		}
		// What an application sends along comes back to it, and to nobody's header.
		b := w.browser()
		_, query := sentTo(t, b.press(b.signIn(b.get(authorizePath(ask(w.C1, "openid", "state", text, "nonce", text))), w.Bob), "deny"))
		if !strings.Contains(text, "\x00") && query.Get("state") != text {
			t.Errorf("the state %q comes back as %q", text, query.Get("state"))
		}
	}
	if kept < len(injections) {
		t.Errorf("only %d texts were kept", kept)
	}
}

// A person and an application may have any name. It names nobody else, and opens
// nothing.
//
// Proves SEC-115.
func TestAPersonMayHaveAnyName(t *testing.T) {
	w := newWorld(t)
	for i, text := range injections {
		if strings.Contains(text, "\x00") {
			continue // no form and no document can hold it
		}
		c := w.C1.Client
		c.ID, c.Name, c.SecretHash = oauth.ClientID(text), text, nil
		if _, _, err := w.AS.RegisterClient(t.Context(), c); err == nil && strings.ContainsAny(text, " \r\n\x1b\u2028\u202e") {
			t.Errorf("an application has the id %q", text)
		}
		c.ID = oauth.ClientID(fmt.Sprint("any-", i))
		if _, _, err := w.AS.RegisterClient(t.Context(), c); err != nil {
			if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Errorf("no application may be called %q: %v", text, err)
			}
			c = w.C1.Client
		}
		owner := w.person(fmt.Sprint("any-", i, "@example.com"), text)
		token := w.token(registered{Client: c}, owner, oauth.ScopeOpenID, oauth.ScopeProfile, oauth.ScopePolicy)
		if name := w.api(http.MethodGet, pathUserInfo, token, "").json(t)["name"]; name != text {
			t.Errorf("the person %q is called %q", text, name)
		}
		connections := listed(t, w.api(http.MethodGet, pathConnections, token, ""))
		if len(connections) != 1 || connections[0]["client_name"] != c.Name || connections[0]["client_id"] != string(c.ID) {
			t.Errorf("the application %q is told as %v", text, connections)
		}
		if resources := listed(t, w.api(http.MethodGet, pathOwnedResources, token, "")); len(resources) != 0 {
			t.Errorf("%q owns %v", text, resources)
		}
	}
}
