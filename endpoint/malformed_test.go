package endpoint

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// broken is one way to send a request wrongly.
type broken struct {
	how, method, path, contentType, body string
}

// breaks are the ways to send a filing wrongly. Each of them is refused.
func (f filing) breaks(t testing.TB, method string) []broken {
	t.Helper()
	var all []broken
	add := func(how, contentType, body string) { all = append(all, broken{how, method, f.path, contentType, body}) }
	for _, wrong := range []string{"", "text/plain", "multipart/form-data; boundary=x", "application/xml", "application/x-www-form-urlencoded; application/json,"} {
		add("as "+wrong, wrong, f.body())
	}
	long := strings.Repeat("x", 100<<10)
	if f.form != nil {
		members := map[string]string{}
		for name := range f.form {
			members[name] = f.form.Get(name)
			add(name+" twice", f.contentType(), f.body()+"&"+url.Values{name: f.form[name]}.Encode())
			add(name+" twice, the first another", f.contentType(), url.Values{name: {"another"}}.Encode()+"&"+f.body())
			tooLong := maps.Clone(f.form)
			tooLong.Set(name, long)
			add(name+" of 100 KB", f.contentType(), tooLong.Encode())
		}
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		add("as JSON", "application/json", string(text))
		add("JSON that says it is a form", f.contentType(), string(text)+"&")
		all = append(all, broken{"in the query", method, f.path + "?" + f.body(), f.contentType(), ""})
		return all
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.json), &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		again := `"` + name + `":` + string(value) + `}`
		add(name+" twice", f.contentType(), strings.TrimSuffix(f.json, "}")+","+again)
		if value[0] == '"' && !strings.HasPrefix(name, "x_") {
			tooLong := maps.Clone(members)
			tooLong[name] = json.RawMessage(`"` + long + `"`)
			text, err := json.Marshal(tooLong)
			if err != nil {
				t.Fatal(err)
			}
			add(name+" of 100 KB", f.contentType(), string(text))
		}
	}
	add("and something behind it", f.contentType(), f.json+"{}")
	add("as a form", "application/x-www-form-urlencoded", url.Values{"json": {f.json}}.Encode())
	add("as JSON that is a form", "application/json", "resource_scopes=view")
	return all
}

// Whatever is sent twice, as something else, too long or by another method is
// refused before anything has happened: nothing is written, nothing that can be
// used once is used, and the same request, sent as it should be, is granted.
//
// Proves SEC-096, SEC-071.
func TestWhatIsSentWronglyHasNoEffect(t *testing.T) {
	w, written := newTalliedWorld(t)
	methods := map[string]bool{}
	for _, rt := range routes() {
		methods[rt.method+" "+rt.path] = true
	}
	sent := 0
	w.eachFiling(func(name string, rt route, f filing) {
		before := written.Load()
		for _, b := range f.breaks(t, rt.method) {
			a := w.file(f, b.method, b.path, b.contentType, strings.NewReader(b.body))
			sent++
			// At these two endpoints, a form without our token is an application's question,
			// to be shown; it decides nothing.
			question := (rt.path == pathAuthorize || rt.path == pathEndSession) && strings.HasPrefix(a.Header.Get("Location"), rt.path+"?")
			if (a.StatusCode < 400 || a.StatusCode > 499) && !question {
				t.Errorf("%s, %s: %s %s", name, b.how, a.Status, a.Body)
			}
		}
		for _, method := range everyMethod {
			if method == rt.method {
				continue
			}
			path := f.path
			if f.form != nil && (method == http.MethodGet || method == http.MethodHead) {
				path += "?" + f.body()
			}
			if methods[method+" "+rt.path] && method != http.MethodGet {
				continue // another route, with a meaning of its own
			}
			a := w.file(f, method, path, f.contentType(), strings.NewReader(f.body()))
			sent++
			if a.StatusCode >= 500 || !methods[method+" "+rt.path] && a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s, as %s: %s %s", name, method, a.Status, a.Body)
			}
		}
		if after := written.Load(); after != before {
			t.Errorf("%s: what was sent wrongly has written %d times", name, after-before)
		}
		good := w.file(f, rt.method, f.path, f.contentType(), strings.NewReader(f.body()))
		if good.StatusCode >= 400 {
			t.Errorf("%s: sent as it should be: %s %s", name, good.Status, good.Body)
		}
		if wrote := written.Load() > before; wrote == f.reads {
			t.Errorf("%s: sent as it should be, it has written: %v", name, wrote)
		}
	})
	// A visit at the claims interaction endpoint is asked for in a query, and spends
	// its ticket.
	ticket := w.photo().ticket(w)
	query := url.Values{"client_id": {"c1"}, "ticket": {string(ticket)}, "claims_redirect_uri": {w.C1.ClaimsRedirectURIs[0]}, "state": {"s"}}
	before := written.Load()
	for name := range query {
		tooLong := maps.Clone(query)
		tooLong.Set(name, strings.Repeat("x", 100<<10))
		for _, bad := range []string{query.Encode() + "&" + name + "=" + url.QueryEscape(query.Get(name)), name + "=another&" + query.Encode(), tooLong.Encode()} {
			isErrorPage(t, w.browser().get(pathClaims+"?"+bad))
			sent++
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		wantStatus(t, w.do(method, pathClaims, h, query.Encode()), http.StatusMethodNotAllowed)
		wantStatus(t, w.do(method, pathClaims+"?"+query.Encode(), h, ""), http.StatusMethodNotAllowed)
	}
	if after := written.Load(); after != before {
		t.Errorf("bad queries have written %d times", after-before)
	}
	isErrorless(t, w.browser().get(pathClaims+"?"+query.Encode()))
	t.Logf("%d requests", sent)
	if sent < 350 {
		t.Errorf("only %d requests were sent", sent)
	}
}
