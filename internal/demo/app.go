package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/client"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// app is Bob's app: it opens links that people were sent, to what others keep
// anywhere. It knows neither those services nor the authorization server in advance;
// its client.Transport finds out.
type app struct {
	*site
	transport *client.Transport
	asks      *http.Client // asks, where it is refused
	plain     *http.Client // does not
	tokens    *client.Memory
	leadsTo   string // where asking leads a browser
	back      string // the start page
	asked     func() // hears when somebody waits for an answer
	now       func() time.Time
	links     []appLink // what Bob was sent

	mu    sync.Mutex
	tries map[string]*try // by browser and link
}

// appLink is a link that somebody sent to Bob.
type appLink struct{ Link, Name, From string }

// try is one browser's try to open one link.
type try struct {
	mu      sync.Mutex
	waits   bool // for whom it belongs to
	process client.Process
	next    time.Time // when it may be asked again
	had     bool      // it was open
	denied  bool
}

func (w *World) newApp(address, secret string) (*app, error) {
	s, err := newSite(address, "app", w.clock.Now)
	if err != nil {
		return nil, err
	}
	base := w.trace.as(partyApp, localhost(w.Listener))
	a := &app{
		site: s, tokens: &client.Memory{}, leadsTo: w.Issuer, now: w.clock.Now, asked: func() { w.steps.did(stepAsk) }, tries: map[string]*try{}, plain: &http.Client{Transport: base, Timeout: 10 * time.Second},
	}
	a.transport, err = client.New(client.Config{
		ClientID: string(clientApp), ClientSecret: client.Secret(secret), Trust: client.Issuers(w.Issuer),
		ClaimsRedirectURI: address + pathBack, Tokens: a.tokens, Base: base, Now: w.clock.Now,
	})
	if err != nil {
		return nil, err
	}
	a.asks = &http.Client{Transport: a.transport, Timeout: 30 * time.Second}
	s.HandleFunc("GET /{$}", a.home)
	s.HandleFunc("GET /open", a.look)
	s.HandleFunc("POST /open", a.ask)
	s.HandleFunc("GET "+pathBack, a.cameBack)
	s.HandleFunc("GET /picture", a.picture)
	s.HandleFunc("GET /live", a.live)
	return a, nil
}

const pathBack = "/back"

func (w *World) registerApp(address string) (secret string, err error) {
	return w.register(w.ctx, oauth.Client{
		ID: clientApp, Name: "Kin", Scopes: scopes("view"), GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken}, ClaimsRedirectURIs: []string{address + pathBack},
	})
}

const cookieApp = "kin-session"

// browser names the browser, and so the local user that tokens are kept for.
func browserOf(a *page.Answer) (string, context.Context) {
	id, ok := a.Cookie(cookieApp)
	if !ok {
		id = rand.Text()
		a.SetCookie(cookieApp, id, 0)
	}
	return id, client.WithUser(a.R.Context(), id)
}

func (a *app) try(browser, link string) *try {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := browser + " " + link
	if a.tries[key] == nil {
		a.tries[key] = &try{}
	}
	return a.tries[key]
}

// appPage is what every page of the app begins with.
type appPage struct {
	Start string
	Form  string
}

func (a *app) common(p *page.Answer) appPage { return appPage{a.back, p.Form("app")} }

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browserOf(p)
	p.Show(http.StatusOK, a.set, "home", page.Options{}, struct {
		appPage
		Links []appLink
	}{a.common(p), a.links})
}

// part is one thing behind a link, as it is to be seen.
type part struct {
	Name    string
	Open    bool
	Chart   *chart
	Notes   []noteLine
	Picture string // the path of a picture
}

type noteLine struct {
	At   page.Moment
	Text string
}

// reader is as whom the app reads.
type reader struct {
	*app
	ctx     context.Context
	browser string
	link    string
	try     *try
}

func (a *app) reader(ctx context.Context, browser, link string) reader {
	return reader{a, ctx, browser, link, a.try(browser, link)}
}

// parts are the addresses behind a link: what is asked for at once may be granted in
// part, and is read one by one.
func parts(link string) []string {
	u, err := url.Parse(link)
	if err != nil || u.Query().Get("of") == "" {
		return []string{link}
	}
	var out []string
	for _, name := range strings.Split(u.Query().Get("of"), ",") {
		one := *u
		one.RawQuery = url.Values{"of": {name}}.Encode()
		out = append(out, one.String())
	}
	return out
}

// nameOf is what a person may call an address.
func nameOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "something"
	}
	name := u.Query().Get("of")
	if name == "" {
		name = u.Path[strings.LastIndex(u.Path, "/")+1:]
	}
	name = strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
}

// fetch reads an address with what the app has been given, and asks nobody for more.
func (r reader) fetch(address string) (contentType string, body []byte, open bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, false
	}
	tokens, err := r.tokens.Tokens(r.ctx, client.Place{Origin: u.Scheme + "://" + u.Host, User: r.browser})
	if err != nil {
		return "", nil, false
	}
	for _, token := range slices.Backward(tokens) {
		req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, address, nil)
		if err != nil {
			return "", nil, false
		}
		req.Header.Set("Authorization", "Bearer "+string(token.RPT))
		resp, err := r.plain.Do(req)
		if err != nil {
			continue
		}
		body, err = io.ReadAll(io.LimitReader(resp.Body, 4<<20))
		_ = resp.Body.Close()
		if err == nil && resp.StatusCode == http.StatusOK {
			return resp.Header.Get("Content-Type"), body, true
		}
	}
	return "", nil, false
}

// poll asks whether there is an answer, if it is time to.
func (r reader) poll() {
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	if !r.try.waits || r.now().Before(r.try.next) {
		return
	}
	// A browser that goes away must not take a ticket along that has been spent.
	r.note(r.transport.Continue(context.WithoutCancel(r.ctx), r.try.process))
}

// note keeps what has come of asking. The lock is held.
func (r reader) note(err error) {
	var pending *client.PendingError
	var denied *client.DeniedError
	r.try.waits, r.try.denied = false, false
	switch {
	case errors.As(err, &pending):
		r.try.waits, r.try.process, r.try.next = true, pending.Process, r.now().Add(pending.Interval)
		r.asked()
	case errors.As(err, &denied):
		r.try.denied = true
	}
}

// state is what is to be seen in a word, for a page to know whether it is out of date.
// Only what was open is looked at, as to look is to use it: what was not does not open
// before Bob asks, or hears of an answer.
func (r reader) state(was string) string {
	r.poll()
	var b strings.Builder
	for i, address := range parts(r.link) {
		open := i < len(was) && was[i] == 'O'
		if open {
			_, _, open = r.fetch(address)
		}
		b.WriteByte("sO"[map[bool]int{true: 1}[open]])
	}
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	return b.String() + r.try.word()
}

func (r reader) waits() bool {
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	return r.try.waits
}

func (t *try) word() string {
	switch {
	case t.waits:
		return "-waits"
	case t.denied:
		return "-denied"
	}
	return ""
}

func (a *app) live(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	reader := a.reader(ctx, browser, r.URL.Query().Get("link"))
	// What is open is looked at every third second alone: to look is to use it.
	last, n := r.URL.Query().Get("was"), 0
	events(w, r, last, func() string {
		if n++; n%3 == 0 || reader.waits() {
			last = reader.state(last)
		}
		return last
	})
}

// look shows what is behind a link, as far as it is open.
func (a *app) look(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	link := r.URL.Query().Get("link")
	reader := a.reader(ctx, browser, link)
	reader.poll()
	data := struct {
		appPage
		Link, Name, From    string
		Parts               []part
		Open, Shut          int
		Waits, Had, Denied  bool
		State, ShutSentence string
	}{appPage: a.common(p), Link: link, Name: nameOf(link), From: "somebody"}
	for _, known := range a.links {
		if known.Link == link {
			data.Name, data.From = known.Name, known.From
		}
	}
	state := ""
	for i, address := range parts(link) {
		one := part{Name: nameOf(address)}
		contentType, body, open := reader.fetch(address)
		if one.Open = open; open {
			data.Open++
			state += "O"
			a.show(p, &one, contentType, body, link, i)
		} else {
			data.Shut++
			state += "s"
		}
		data.Parts = append(data.Parts, one)
	}
	t := reader.try
	t.mu.Lock()
	if data.Open > 0 {
		t.had = true
	}
	data.Waits, data.Had, data.Denied, data.State = t.waits, t.had, t.denied, state+t.word()
	t.mu.Unlock()
	p.Show(http.StatusOK, a.set, "link", page.Options{Live: "/live?" + url.Values{"link": {link}, "was": {data.State}}.Encode(), LeadsTo: a.leadsTo}, data)
}

// show makes something to look at of what was read.
func (a *app) show(p *page.Answer, one *part, contentType string, body []byte, link string, i int) {
	if strings.HasPrefix(contentType, "image/") {
		one.Picture = "/picture?" + url.Values{"link": {link}}.Encode()
		return
	}
	var b Bundle
	if json.Unmarshal(body, &b) != nil {
		return
	}
	one.Chart = chartOf(p, b.Entry)
	for _, e := range b.Entry {
		one.Name = e.Code
		if e.Note != "" {
			one.Notes = append(one.Notes, noteLine{p.At(e.At), e.Note})
		}
	}
}

// ask goes for what is behind a link. It is refused, and the transport asks.
func (a *app) ask(w http.ResponseWriter, r *http.Request) {
	p, ok := a.form(w, r, "app")
	if !ok {
		return
	}
	browser, ctx := browserOf(p)
	link := r.PostForm.Get("link")
	reader := a.reader(ctx, browser, link)
	reader.try.mu.Lock()
	defer reader.try.mu.Unlock()
	if reader.try.waits {
		p.Redirect(openPath(link))
		return
	}
	address := link
	if all := parts(link); reader.try.had && len(all) > 1 {
		address = all[0] // what was open before
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || !req.URL.IsAbs() {
		a.problem(p, "This is not a link.")
		return
	}
	resp, err := a.asks.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	a.goOn(p, reader, err)
}

// goOn leads a browser on after asking. The lock of the try is held.
func (a *app) goOn(p *page.Answer, r reader, err error) {
	var needInfo *client.NeedInfoError
	if errors.As(err, &needInfo) {
		to, err := a.transport.Begin(r.ctx, needInfo, r.browser)
		if err != nil {
			a.problem(p, "That did not work: "+err.Error())
			return
		}
		p.SetCookie("kin-link", base64Of(r.link), 0)
		p.Redirect(to)
		return
	}
	r.note(err)
	p.Redirect(openPath(r.link))
}

// cameBack is where the claims interaction endpoint sends the browser back to.
func (a *app) cameBack(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	kept, _ := p.Cookie("kin-link")
	link := ofBase64(kept)
	if link == "" {
		p.Redirect("/")
		return
	}
	reader := a.reader(ctx, browser, link)
	reader.try.mu.Lock()
	defer reader.try.mu.Unlock()
	a.goOn(p, reader, a.transport.Callback(ctx, browser, r.URL.Query()))
}

// picture passes a picture on to the browser.
func (a *app) picture(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	contentType, body, open := a.reader(ctx, browser, "").fetch(r.URL.Query().Get("link"))
	if !open || !strings.HasPrefix(contentType, "image/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // a browser that is gone cannot be told
}

func (a *app) problem(p *page.Answer, text string) {
	p.Show(http.StatusBadGateway, a.set, "problem", page.Options{}, struct {
		appPage
		Text string
	}{a.common(p), text})
}

func openPath(link string) string { return "/open?" + url.Values{"link": {link}}.Encode() }

// chart is readings over time, drawn in a box of chartWidth and chartHeight.
type chart struct {
	Says   string // the newest reading
	Label  string
	Lines  []chartLine
	Rows   []chartRow
	Levels []level
}

type chartLine struct {
	Class, Name, Path string
	X, Y              float64 // of the newest reading
}

type chartRow struct {
	At     page.Moment
	Values []string
}

type level struct {
	Y    float64
	Text string
}

const chartWidth, chartHeight = 600, 200

// chartOf draws the readings of a Bundle; nil where there are none.
func chartOf(p *page.Answer, entries []Resource) *chart {
	var readings []Resource
	for _, e := range entries {
		if len(e.Value) > 0 {
			readings = append(readings, e)
		}
	}
	if len(readings) < 2 {
		return nil
	}
	low, high := readings[0].Value[0].Value, readings[0].Value[0].Value
	for _, e := range readings {
		for _, v := range e.Value {
			low, high = min(low, v.Value), max(high, v.Value)
		}
	}
	margin := (high - low) * .12
	low, high = low-margin, high+margin
	newest := readings[len(readings)-1]
	c := &chart{Label: newest.Code}
	x := func(i int) float64 { return 44 + float64(i)*(chartWidth-70)/float64(len(readings)-1) }
	y := func(v float64) float64 { return round(chartHeight - 24 - (v-low)/(high-low)*(chartHeight-40)) }
	for i, first := range newest.Value {
		line := chartLine{Class: []string{"one", "two"}[i%2], Name: first.Code}
		for j, e := range readings {
			command := "L"
			if j == 0 {
				command = "M"
			}
			line.X, line.Y = round(x(j)), y(e.Value[i].Value)
			line.Path += command + number(line.X) + " " + number(line.Y)
		}
		c.Lines = append(c.Lines, line)
	}
	for _, v := range []float64{low + margin, (low + high) / 2, high - margin} {
		said := round(v)
		if high-low > 20 {
			said = math.Round(v)
		}
		c.Levels = append(c.Levels, level{y(v), number(said)})
	}
	for _, e := range slices.Backward(readings) {
		row := chartRow{At: p.At(e.At)}
		for _, v := range e.Value {
			row.Values = append(row.Values, number(round(v.Value)))
		}
		c.Rows = append(c.Rows, row)
	}
	var said []string
	for _, v := range newest.Value {
		said = append(said, number(round(v.Value)))
	}
	c.Says = strings.Join(said, " / ") + " " + newest.Value[0].Unit
	return c
}
