package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	rung      func() int64
	trace     *trace
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
	seen    []seen // of each thing behind the link; nil: nothing was looked at
}

// seen is what the app has read of one thing. Whoever reads uses what they were given, so
// a page that lies open shows what was seen and reads nothing.
type seen struct {
	open        bool
	contentType string
	body        []byte
}

func (w *World) newApp(address, secret string) (*app, error) {
	s, err := newSite(address, "app", w.clock.Now)
	if err != nil {
		return nil, err
	}
	base := w.trace.as(partyApp, localhost(w.Listener))
	a := &app{
		site: s, tokens: &client.Memory{}, leadsTo: w.Issuer, now: w.clock.Now, asked: func() { w.steps.did(stepAsk) }, rung: w.bell.Load, trace: w.trace, tries: map[string]*try{}, plain: &http.Client{Transport: base, Timeout: 10 * time.Second},
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

// read reads everything behind the link.
func (r reader) read() {
	var list []seen
	for _, address := range parts(r.link) {
		var one seen
		one.contentType, one.body, one.open = r.fetch(address)
		list = append(list, one)
	}
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	r.try.seen = list
}

// again reads what was open, and asks for nothing that is shut.
func (r reader) again() {
	list := slices.Clone(r.known())
	all := parts(r.link)
	for i := range list {
		if list[i].open {
			list[i].contentType, list[i].body, list[i].open = r.fetch(all[i])
		}
	}
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	r.try.seen = list
}

func (r reader) known() []seen {
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	return r.try.seen
}

// poll asks whether there is an answer, if it is time to, and reads what a yes has
// opened.
func (r reader) poll() {
	if r.answered() {
		r.read()
	}
}

func (r reader) answered() bool {
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	if !r.try.waits || r.now().Before(r.try.next) {
		return false
	}
	// A browser that goes away must not take a ticket along that has been spent.
	r.note(r.transport.Continue(context.WithoutCancel(r.ctx), r.try.process))
	return !r.try.waits && !r.try.denied
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

// watching tells what a page that lies open should show, in a word. It reads nothing by
// itself: to read is to use. When an owner has changed something since heard, what was
// open is read once; elsewhere an app would come to know of it when its person acts.
func (r reader) watching(heard int64) func() string {
	return func() string {
		r.poll()
		if is := r.rung(); is != heard {
			heard = is
			r.again()
		}
		return r.state()
	}
}

func (r reader) state() string {
	r.try.mu.Lock()
	defer r.try.mu.Unlock()
	word := ""
	for _, one := range r.try.seen {
		word += map[bool]string{true: "O", false: "s"}[one.open]
	}
	return word + r.try.word()
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
	heard, _ := strconv.ParseInt(r.URL.Query().Get("heard"), 10, 64) // 0 for what a page of ours does not send
	look := a.reader(ctx, browser, r.URL.Query().Get("link")).watching(heard)
	events(w, r, r.URL.Query().Get("was"), func() string { return a.mark(look()) })
}

// mark is a state with how far the trace is, which stands beside it.
func (a *app) mark(state string) string {
	_, mark := a.trace.messages()
	return state + "." + mark
}

// scripted says that a page brings itself up to date, and nobody has come to it.
func scripted(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "empty" }

// look shows what is behind a link, as far as it is open.
func (a *app) look(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	link := r.URL.Query().Get("link")
	reader := a.reader(ctx, browser, link)
	heard := a.rung()
	if reader.poll(); !scripted(r) {
		reader.read()
	}
	messages, mark := a.trace.messages()
	data := struct {
		appPage
		Link, Name, From   string
		Parts              []part
		Open, Shut         int
		Waits, Had, Denied bool
		Diagram            template.HTML
		Trace              string // where all of it is
	}{appPage: a.common(p), Link: link, Name: nameOf(link), From: "somebody", Trace: a.back + "/trace"}
	if d := diagramOf(messages); d != nil {
		data.Diagram = d.Drawn(data.Trace)
	}
	for _, known := range a.links {
		if known.Link == link {
			data.Name, data.From = known.Name, known.From
		}
	}
	addresses := parts(link)
	for i, one := range reader.known() {
		shown := part{Name: nameOf(addresses[i]), Open: one.open}
		if one.open {
			data.Open++
			a.show(p, &shown, one.contentType, one.body, link)
		} else {
			data.Shut++
		}
		data.Parts = append(data.Parts, shown)
	}
	t := reader.try
	t.mu.Lock()
	if data.Open > 0 {
		t.had = true
	}
	data.Waits, data.Had, data.Denied = t.waits, t.had, t.denied
	t.mu.Unlock()
	live := url.Values{"link": {link}, "was": {reader.state() + "." + mark}, "heard": {strconv.FormatInt(heard, 10)}}
	p.Show(http.StatusOK, a.set, "link", page.Options{Wide: true, Live: "/live?" + live.Encode(), LeadsTo: a.leadsTo}, data)
}

// show makes something to look at of what was read.
func (a *app) show(p *page.Answer, one *part, contentType string, body []byte, link string) {
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

// picture passes on a picture that was seen.
func (a *app) picture(w http.ResponseWriter, r *http.Request) {
	p := a.open(w, r)
	browser, ctx := browserOf(p)
	list := a.reader(ctx, browser, r.URL.Query().Get("link")).known()
	i := slices.IndexFunc(list, func(one seen) bool { return one.open && strings.HasPrefix(one.contentType, "image/") })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", list[i].contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(list[i].body) // a browser that is gone cannot be told
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
