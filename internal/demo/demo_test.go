package demo

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/client"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes a world for a test. What it logs is an error.
func open(t *testing.T) *World {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	w, err := Open(t.Context(), Config{
		Listener: l, Issuer: "http://localhost:" + port, Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil || log.Len() > 0 {
			t.Errorf("it closed with %v, and had logged\n%s", err, log.Bytes())
		}
	})
	return w
}

// The whole way that the start page leads comes out as it must.
func TestTheWalk(t *testing.T) {
	w := open(t)
	var out bytes.Buffer
	if err := w.Walk(t.Context(), &out); err != nil {
		t.Fatalf("%s\n%v", &out, err)
	}
}

// Whoever looks at the trace after a while still sees how it began, and a page that lies
// open asks for nothing that is shut.
func TestTheTraceKeepsItsBeginning(t *testing.T) {
	w := open(t)
	k, err := w.walker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{k.home, k.ask, k.sayWho, k.allow, k.unlocked, k.could, k.stopIt, k.undo} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	beginning := func() {
		t.Helper()
		list, _ := w.trace.messages()
		if first := list[0]; first.N != 1 || first.From != partyApp || first.To != partyClinic || strings.Contains(first.Raw, "Authorization") {
			t.Fatalf("the trace begins with %+v", first)
		}
	}
	beginning()
	kept := func() int {
		list, _ := w.trace.messages()
		return len(list)
	}
	before := 0
	for i := range 20 { // a minute of looking
		w.clock.ago(-time.Duration(i) * 3 * time.Second)
		k.bob.open(k.app.address + openPath(k.app.links[0].Link))
		k.bob.shows("part-open")
		if err := k.bob.failed(); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			before = kept()
		}
	}
	beginning()
	if is := kept(); is != before {
		t.Errorf("looking again and again made %d messages of %d", is, before)
	}
}

// reader is the app as Bob's browser has it.
func (k *walker) reader(t *testing.T) reader {
	t.Helper()
	u, err := url.Parse(k.app.address)
	if err != nil {
		t.Fatal(err)
	}
	var browser string
	for _, c := range k.bob.http.Jar.Cookies(u) {
		if c.Name == cookieApp {
			browser = c.Value
		}
	}
	return k.app.reader(client.WithUser(t.Context(), browser), browser, k.app.links[0].Link)
}

// refresh loads a page as its own script does, to bring it up to date.
func (b *browser) refresh(address string) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.err = err
		return
	}
	req.Header.Set("Sec-Fetch-Dest", "empty")
	b.err = b.do(req)
}

// A page that lies open reads nothing, and so is no use; when an owner has changed
// something, what was open is read once, and what was shut is not.
func TestAPageThatLiesOpenIsNoUse(t *testing.T) {
	w := open(t)
	k, err := w.walker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do := func(steps ...func() error) {
		t.Helper()
		for _, step := range steps {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(k.home, k.ask, k.sayWho, k.allow, k.unlocked, k.could)
	look := k.reader(t).watching(w.bell.Load())
	said := func() int {
		list, _ := w.trace.messages()
		return len(list)
	}
	w.trace.begin()
	for range 100 {
		if is := look(); is != "Os" {
			t.Fatalf("the page that is open in part is %q", is)
		}
	}
	k.bob.refresh(k.app.address + openPath(k.app.links[0].Link))
	if k.bob.shows("part-open", "mmHg", `id="trace"`); k.bob.failed() != nil || said() != 0 {
		t.Fatalf("a page that brings itself up to date: %v, with %d messages", k.bob.failed(), said())
	}
	do(k.stopIt)
	w.trace.begin()
	if is := look(); is != "ss" {
		t.Errorf("the page that was shut is %q", is)
	}
	once := said()
	for range 100 {
		look()
	}
	if said() != once {
		t.Errorf("a page that is shut asked with %d messages", said()-once)
	}
}

// Where there is much to tell, the first messages are kept, and the newest; a gap says
// how many are left out between them.
func TestAGapSaysHowManyAreLeftOut(t *testing.T) {
	tr := newTrace(time.Now)
	tr.begin()
	const all = maxMessages + 7
	for i := range all {
		tr.add(message{From: partyApp, To: partyLicet, Answer: true, Label: fmt.Sprint(i + 1)})
	}
	list, _ := tr.messages()
	if len(list) != maxMessages+1 || list[0].N != 1 || list[firstMessages-1].N != firstMessages || list[firstMessages].Left != 7 ||
		list[firstMessages+1].N != firstMessages+8 || list[maxMessages].N != all {
		t.Errorf("%d: %+v", len(list), list)
	}
	if row := diagramOf(list).Rows[firstMessages]; row.Did != "7 messages are left out" {
		t.Errorf("%+v", row)
	}
}

// Bob asks for a photo, too; he sees it when Alice says yes, and no more when she stops
// it.
func TestBobSeesAPhotoWhileHeMay(t *testing.T) {
	w := open(t)
	k, err := w.walker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{k.home, k.ask, k.sayWho} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	sunrise := w.app.address + openPath(w.app.links[1].Link)
	k.bob.open(sunrise)
	k.bob.shows(`id="locked"`)
	k.bob.submit("ask", nil)
	k.bob.submit("allow", nil)
	k.bob.shows(`id="waits"`)
	if err := k.bob.failed(); err != nil {
		t.Fatal(err)
	}
	alice := w.person("alice")
	asked, err := w.node.AS.Requests(t.Context(), alice.owner(alice.space), as.RequestPending, as.Page{Limit: 10})
	if err != nil || len(asked) != 2 {
		t.Fatalf("Alice is asked %+v, %v", asked, err)
	}
	for _, q := range asked {
		if _, err := w.node.AS.Approve(t.Context(), alice.owner(alice.space), q.ID, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(text string) {
		err := k.soon(effect, func() error {
			k.bob.open(sunrise)
			k.bob.shows(text)
			return k.bob.failed()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	picture := "/picture?" + url.Values{"link": {w.app.links[1].Link}}.Encode()
	shows("part-open")
	k.bob.open(picture)
	if err := k.bob.failed(); err != nil || !strings.HasPrefix(k.bob.text, "\xff\xd8") {
		t.Errorf("the picture is %.20q, %v", k.bob.text, err)
	}
	thing, err := w.thing(t.Context(), alice.space, "photos/sunrise")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.node.AS.WithdrawAll(t.Context(), alice.owner(alice.space), as.Target{Resource: thing}); err != nil {
		t.Fatal(err)
	}
	shows(`id="locked"`)
	k.bob.open(picture)
	if k.bob.failed() == nil {
		t.Error("the picture is still there")
	}
}

// Only a form of the start page signs anybody in, and only the person of the host that
// it is sent to.
func TestNobodyElseSignsPeopleIn(t *testing.T) {
	w := open(t)
	base := localhost(w.Listener)
	defer base.CloseIdleConnections()
	for name, c := range map[string]struct {
		host, key string
		in        bool
	}{
		"the form of the start page": {"alice.localhost", w.key, true},
		"no key":                     {"alice.localhost", "", false},
		"a wrong key":                {"alice.localhost", "x" + w.key[1:], false},
		"nobody's host":              {"bob.localhost", w.key, false},
		"the server's own address":   {"localhost", w.key, false},
	} {
		req, err := http.NewRequest(http.MethodPost, w.at(c.host)+pathEnter, strings.NewReader(url.Values{"key": {c.key}, "to": {"https://evil.example/app/"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := base.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if in := len(resp.Cookies()) > 0; in != c.in || c.in && resp.Header.Get("Location") != "/app/" || !c.in && resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, %v, to %q", name, resp.Status, resp.Cookies(), resp.Header.Get("Location"))
		}
	}
}

// Where Bob is sent to say who he is, a passkey is offered to him.
func TestPasskeysCanBeTried(t *testing.T) {
	w := open(t)
	b, err := newBrowser(localhost(w.Listener))
	if err != nil {
		t.Fatal(err)
	}
	b.open(w.Issuer + "/app/received")
	b.shows(`data-passkey="get"`)
	if err := b.failed(); err != nil {
		t.Error(err)
	}
}

// Every secret in a message is hidden, and the same one looks the same.
func TestSecretsAreHidden(t *testing.T) {
	const secret = "s3cr3t-s3cr3t"
	body := url.Values{"ticket": {secret}, "client_secret": {secret}, "claim_token": {secret}, "grant_type": {"x"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/token?state="+secret, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	h := http.Header{
		"Content-Type": {"application/json"}, "Location": {"http://a.example/back?ticket=" + secret + "&state=" + secret},
		"Www-Authenticate": {`UMA realm="r", as_uri="http://a.example", ticket="` + secret + `"`},
	}
	for name, raw := range map[string]string{
		"a request": rawRequest(r, []byte(body)),
		"an answer": rawAnswer(http.StatusOK, h, []byte(`{"access_token":"`+secret+`","deep":[{"pct":"`+secret+`"}],"n":1}`)),
	} {
		if strings.Contains(raw, secret) || strings.Count(raw, hidden(secret)) < 4 {
			t.Errorf("%s:\n%s", name, raw)
		}
	}
}

// What is said again and again is told once, with how often.
func TestWhatIsSaidAgainIsToldOnce(t *testing.T) {
	tr := newTrace(time.Now)
	tr.begin()
	for range 5 {
		tr.add(message{From: partyApp, To: partyLicet, Label: "POST /token"})
		tr.add(message{From: partyLicet, To: partyApp, Answer: true, Label: "403 request_submitted"})
	}
	tr.add(message{From: partyApp, To: partyLicet, Label: "POST /token"})
	tr.add(message{From: partyLicet, To: partyApp, Answer: true, Label: "200 token"})
	list, mark := tr.messages()
	if len(list) != 4 || list[1].Again != 4 || list[3].N != 4 || mark != "4" {
		t.Errorf("%+v, %s", list, mark)
	}
	if d := diagramOf(list); len(d.Parties) != 2 || len(d.Rows) != 4 || d.Rows[1].Again == "" {
		t.Errorf("%+v", d)
	}
}
