package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"iter"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner/web"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server with the owner's app, real but for signing in: who a browser is
// stands in a cookie of the test.
type world struct {
	t          *testing.T
	as         *as.Server
	srv        *httptest.Server
	now        time.Time
	in         time.Time // everybody signed in then; zero: a minute ago
	alice, bob resident
	photos     as.PAT
	app        oauth.Client
}

type resident struct {
	as.Account
	space as.SpaceID
}

// door signs people in by the address that the cookie says.
type door struct{ w *world }

func (d door) PasskeysAt() string { return "as.example" }

func (d door) Person(r *http.Request) (as.Account, time.Time, bool) {
	cookie, err := r.Cookie("who")
	if err != nil {
		return as.Account{}, time.Time{}, false
	}
	account, err := d.w.as.AccountByEmail(r.Context(), cookie.Value)
	if !d.w.in.IsZero() {
		return account, d.w.in, err == nil
	}
	return account, d.w.now.Add(-time.Minute), err == nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 23, 9, 47, 0, 0, time.UTC)}
	var app *web.Server
	w.srv = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { app.ServeHTTP(rw, r) }))
	t.Cleanup(func() {
		app.Leave()
		w.srv.Close()
	})
	var err error
	w.as, err = as.New(t.Context(), as.Config{
		Issuer: w.srv.URL, Store: teststore.Open(t), Now: func() time.Time { return w.now },
		Secrets:                   as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}},
		ClaimIssuers:              []as.ClaimIssuer{{Issuer: "https://clinic.example", JWKS: []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","alg":"EdDSA","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)}},
		ClaimsInteractionEndpoint: w.srv.URL + "/uma/claims", Fetch: egress.New(egress.Options{AllowLoopback: true}),
	})
	w.must(err)
	issuer, err := url.Parse(w.srv.URL)
	w.must(err)
	pages, err := page.New(page.Config{Issuer: issuer, FormKey: bytes.Repeat([]byte{3}, 32), Now: w.as.Now, Words: page.Words{
		"urn:dx:1": {"en": "look up the diagnosis", "de": "die Diagnose nachschlagen"},
	}, Kinds: page.Words{
		"urn:kind:album": {"en": "Album of photos", "de": "Fotoalbum"},
	}})
	w.must(err)
	app, err = web.New(web.Config{AS: w.as, SignIn: door{w}, Pages: pages, Sensitive: []string{"diagnosis"}})
	w.must(err)
	w.alice, w.bob = w.person("alice@example.com", "Alice"), w.person("bob@example.com", "Bob")
	client, _, err := w.as.RegisterClient(t.Context(), oauth.Client{
		ID: "photos", Name: "Photo Box", AuthMethod: oauth.AuthBasic, Scopes: []uma.Scope{uma.ScopeProtection},
		GrantTypes: []string{oauth.GrantClientCredentials},
	})
	w.must(err)
	w.app, _, err = w.as.RegisterClient(t.Context(), oauth.Client{
		ID: "diary", Name: "Pulse Diary", AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType}, Scopes: []uma.Scope{"view"},
		ClaimsRedirectURIs: []string{"https://diary.example/back"},
	})
	w.must(err)
	w.photos = as.PAT{Space: w.alice.space, ResourceServer: client.ID}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(email, name string) resident {
	w.t.Helper()
	a, space, err := w.as.CreateAccount(context.Background(), as.Account{Email: email, EmailVerified: true, Name: name}, name)
	w.must(err)
	return resident{a, space.ID}
}

// thing registers a thing of Alice's.
func (w *world) thing(name string, scopes ...uma.Scope) uma.ResourceID {
	w.t.Helper()
	return w.thingOf("photo", name, scopes...)
}

// thingOf registers a thing of a kind.
func (w *world) thingOf(kind, name string, scopes ...uma.Scope) uma.ResourceID {
	w.t.Helper()
	return w.described(map[string]any{"name": name, "type": kind, "resource_scopes": scopes})
}

// described registers a thing by its description.
func (w *world) described(description map[string]any) uma.ResourceID {
	w.t.Helper()
	members := uma.Object{}
	for member, value := range description {
		raw, err := json.Marshal(value)
		w.must(err)
		members[member] = raw
	}
	d, err := uma.ParseResourceDescription(members)
	w.must(err)
	res, err := w.as.RegisterResource(context.Background(), w.photos, d)
	w.must(err)
	return res.ID
}

// owner is Alice, at home.
func (w *world) owner() as.Owner { return as.Owner{Space: w.alice.space, Account: w.alice.ID} }

// shares lists what Alice shares.
func (w *world) shares() []as.Share {
	w.t.Helper()
	list, err := w.as.ListShares(context.Background(), w.owner(), as.Page{Limit: 100})
	w.must(err)
	return list
}

// share shares a thing with an address.
func (w *world) share(id uma.ResourceID, email string, scopes ...uma.Scope) as.Share {
	w.t.Helper()
	made, err := w.as.CreateShare(context.Background(), w.owner(), policy.Share{
		Resource: id, Scopes: scopes, NotAfter: w.now.AddDate(0, 0, 30),
		Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{email}}},
	})
	w.must(err)
	return made
}

// browser is somebody's, without a script.
type browser struct {
	w      *world
	client *http.Client
	count  sync.Mutex // of pages
	pages  int        // looked at or sent since count was last set
}

// at is a browser at which somebody is signed in; "" for nobody.
func (w *world) at(email string) *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	u, err := url.Parse(w.srv.URL)
	w.must(err)
	if email != "" {
		jar.SetCookies(u, []*http.Cookie{{Name: "who", Value: email, Path: "/"}})
	}
	return &browser{w: w, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a page, or where the browser is sent.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	b.count.Lock()
	b.pages++
	b.count.Unlock()
	response, err := b.client.Do(r)
	b.w.must(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	b.w.must(err)
	if response.StatusCode >= 500 {
		b.w.t.Errorf("%s %s: %s", r.Method, r.URL, response.Status)
	}
	return answer{response, string(body)}
}

func (b *browser) get(path string) answer {
	b.w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.w.srv.URL+path, nil)
	b.w.must(err)
	return b.do(r)
}

// see looks at a page and fails unless it is there.
func (b *browser) see(path string) answer {
	b.w.t.Helper()
	a := b.get(path)
	if a.StatusCode != http.StatusOK {
		b.w.t.Fatalf("%s: %s\n%s", path, a.Status, a.body)
	}
	return a
}

func (b *browser) post(path string, form url.Values, site string) answer {
	b.w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.w.srv.URL+path, strings.NewReader(form.Encode()))
	b.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	return b.do(r)
}

// press fills in the form around a button, presses it, and follows where that leads.
func (b *browser) press(on answer, button string, fill ...string) answer {
	b.w.t.Helper()
	path, form := b.form(on, button)
	for i := 0; i+1 < len(fill); i += 2 {
		form.Set(fill[i], fill[i+1])
		if fill[i+1] == "" {
			form.Del(fill[i])
		}
	}
	a := b.post(path, form, "same-origin")
	for a.StatusCode == http.StatusSeeOther {
		b.pages-- // following is no act of a person
		a = b.get(a.Header.Get("Location"))
	}
	return a
}

// form finds the form around a button, filled in as the page has it.
func (b *browser) form(on answer, button string) (path string, form url.Values) {
	b.w.t.Helper()
	form, found := url.Values{}, false
	selected := ""
	for e := range elements(b.w.t, on.body) {
		get := func(name string) string {
			for _, a := range e.Attr {
				if a.Name.Local == name {
					return a.Value
				}
			}
			return ""
		}
		has := func(name string) bool {
			for _, a := range e.Attr {
				if a.Name.Local == name {
					return true
				}
			}
			return false
		}
		switch e.Name.Local {
		case "form":
			if found {
				return path, form
			}
			path, form = get("action"), url.Values{}
		case "input":
			if kind := get("type"); kind != "checkbox" && kind != "radio" || has("checked") {
				form.Set(get("name"), get("value"))
			}
		case "select":
			selected = get("name")
		case "option":
			if has("selected") {
				form.Set(selected, get("value"))
			}
		case "button":
			if get("id") == button {
				found = true
				if get("formaction") != "" {
					path = get("formaction")
				}
				if get("name") != "" {
					form.Set(get("name"), get("value"))
				}
			}
		}
	}
	if !found {
		b.w.t.Fatalf("there is no button %q:\n%s", button, on.body)
	}
	return path, form
}

// elements are the start tags of a page, which has to be well formed.
func elements(t *testing.T, body string) iter.Seq[xml.StartElement] {
	return func(yield func(xml.StartElement) bool) {
		t.Helper()
		d := xml.NewDecoder(strings.NewReader(body))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			token, err := d.Token()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Errorf("the page is not well formed: %v\n%s", err, body)
				return
			}
			if e, ok := token.(xml.StartElement); ok && !yield(e) {
				return
			}
		}
	}
}

var markup = regexp.MustCompile(`<[^>]*>`)

// text is what a page says.
func (a answer) text() string {
	return strings.Join(strings.Fields(markup.ReplaceAllString(a.body, "")), " ")
}

func (a answer) says(t *testing.T, want ...string) {
	t.Helper()
	for _, one := range want {
		if !strings.Contains(a.text(), one) {
			t.Errorf("%s does not say %q:\n%s", a.Request.URL.Path, one, a.text())
		}
	}
}

func (a answer) silent(t *testing.T, about ...string) {
	t.Helper()
	for _, one := range about {
		if strings.Contains(a.body, one) {
			t.Errorf("%s says %q:\n%s", a.Request.URL.Path, one, a.text())
		}
	}
}
