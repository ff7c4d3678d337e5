package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// visitor is somebody at a browser who has never been here. It belongs to one
// goroutine.
type visitor struct {
	t     *testing.T
	place *place
	way   way
	ctx   context.Context

	loaded  chan struct{}
	arrived chan struct{}  // holds one when a file has come since it was last asked
	presses int            // of buttons and links
	away    sync.WaitGroup // answers given for places that are not here

	mu         sync.Mutex
	complaints []string // of the browser
	files      map[network.RequestID]*file
}

// file is what the browser fetched for the page that it is at.
type file struct {
	address string
	wire    int64 // bytes, with headers; 0 until it is there
}

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// visitor opens a window with a fresh profile.
func (p *place) visitor(t *testing.T, w way) *visitor {
	t.Helper()
	ctx, cancel := chromedp.NewContext(p.browser, chromedp.WithNewBrowserContext())
	v := &visitor{t: t, place: p, way: w, ctx: ctx, loaded: make(chan struct{}, 100), arrived: make(chan struct{}, 1), files: map[network.RequestID]*file{}}
	t.Cleanup(func() {
		v.away.Wait()
		cancel()
		if c := v.complained(); len(c) > 0 {
			t.Errorf("the browser complained:\n%s", strings.Join(c, "\n"))
		}
	})
	v.must(chromedp.Do(ctx))
	v.must(chromedp.Listen(ctx, v.hear))
	call(v, page.Enable, page.EnableParams{})
	call(v, runtime.Enable, cdp.Empty{})
	call(v, log.Enable, cdp.Empty{})
	call(v, network.Enable, network.EnableParams{})
	call(v, audits.Enable, cdp.Empty{})
	// A browser with a window allows this to whoever was pressed.
	call(v, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-write"}, Setting: browser.PermissionSettingGranted,
		Origin: p.fixture.Issuer, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
	})
	// The cast's applications are nowhere. What is shown there is a page of theirs.
	call(v, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "https://*"}}})
	v.resize(w.width, 800)
	scheme := "light"
	if w.dark {
		scheme = "dark"
	}
	call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	v.scripts(w.scripts)
	language := w.language
	if language == "" {
		language = "en"
	}
	call(v, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
	if w.pseudo {
		call(v, network.SetCookie, network.SetCookieParams{Name: "licet-language", Value: "en-XA", URL: p.fixture.Issuer + "/"})
	}
	if w.large {
		call(v, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: 32, Fixed: 26}})
	}
	return v
}

// call gives the browser a command of its protocol.
func call[P, R any](v *visitor, command cdp.Command[P, R], params P) R {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		v.fatalf("%s: %v", command.Method, err)
	}
	return answer
}

func (v *visitor) must(err error) {
	v.t.Helper()
	if err != nil {
		v.fatalf("%v", err)
	}
}

func (v *visitor) fatalf(format string, args ...any) {
	v.t.Helper()
	v.t.Fatalf(format+"\nthe browser complained: %q", append(args, v.complained())...)
}

// hear is told every event, on the goroutine that reads them.
func (v *visitor) hear(event any) {
	complain := func(format string, args ...any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *page.EventLoadEventFired:
		v.loaded <- struct{}{}
	case *fetch.EventRequestPaused:
		v.away.Add(1)
		go v.elsewhere(e)
	case *log.EventEntryAdded:
		// What came over the network is told below.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork || e.Entry.Source == log.EntrySourceSecurity {
			complain("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			complain("console: %v", e.Args)
		}
	case *runtime.EventExceptionThrown:
		complain("exception: %s", e.ExceptionDetails.Text)
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodePerformanceIssue {
			return // it would have document.cookie be cookieStore, which not every browser has
		}
		if d := e.Issue.Details.GenericIssueDetails; d != nil && d.ErrorType == audits.GenericIssueErrorTypeNavigationEntryMarkedSkippable {
			return // a page that leads on by itself is not come back to, which is as it should be
		}
		detail, err := json.Marshal(e.Issue.Details)
		complain("issue: %s %s %v", e.Issue.Code, detail, err)
	case *network.EventRequestWillBeSent:
		v.mu.Lock()
		if e.Type == network.ResourceTypeDocument {
			v.files = map[network.RequestID]*file{}
		}
		if e.Type != network.ResourceTypeEventSource { // which never ends
			v.files[e.RequestID] = &file{address: e.Request.URL}
		}
		v.mu.Unlock()
	case *network.EventResponseReceived:
		if e.Type != network.ResourceTypeDocument && e.Response.Status >= 400 || e.Response.Status >= 500 {
			complain("%d for %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFinished:
		v.mu.Lock()
		if f := v.files[e.RequestID]; f != nil { // nil for what an earlier page had asked for
			f.wire = int64(e.EncodedDataLength)
		}
		v.mu.Unlock()
		select {
		case v.arrived <- struct{}{}:
		default:
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			v.mu.Lock()
			address := "something of an earlier page"
			if f := v.files[e.RequestID]; f != nil {
				address = f.address
			}
			v.mu.Unlock()
			complain("%s %s for %s", e.ErrorText, e.BlockedReason, address)
		}
	}
}

// elsewhere answers for a server that is not here.
func (v *visitor) elsewhere(e *fetch.EventRequestPaused) {
	defer v.away.Done()
	_, err := chromedp.Call(v.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: e.RequestID, ResponseCode: 200, ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "text/html"}},
		Body: []byte(`<!doctype html><html lang="en"><title>Elsewhere</title><main><h1>Elsewhere</h1></main></html>`),
	})
	if err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.complaints = append(v.complaints, "elsewhere: "+err.Error())
	}
}

// complained returns what the browser has complained of since it was last asked.
func (v *visitor) complained() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.complaints
	v.complaints = nil
	return c
}

func (v *visitor) resize(width, height int64) {
	v.t.Helper()
	call(v, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

func (v *visitor) scripts(on bool) {
	v.t.Helper()
	call(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// tryAsk evaluates an expression, which may be a promise, in a world of our own: the
// page's scripts and its Content-Security-Policy do not come near it.
func tryAsk[T any](v *visitor, expression string) (answer T, err error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return answer, err
	}
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "e2e"})
	if err != nil {
		return answer, err
	}
	yes := true
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: world.ExecutionContextID, ReturnByValue: &yes, AwaitPromise: &yes,
	})
	if err != nil {
		return answer, err
	}
	if e := result.ExceptionDetails; e != nil {
		if e.Exception != nil {
			return answer, fmt.Errorf("%s %s", e.Text, e.Exception.Description)
		}
		return answer, fmt.Errorf("%s", e.Text)
	}
	if len(result.Result.Value) == 0 {
		return answer, nil // undefined
	}
	return answer, json.Unmarshal(result.Result.Value, &answer)
}

func ask[T any](v *visitor, expression string) T {
	v.t.Helper()
	answer, err := tryAsk[T](v, expression)
	if err != nil {
		v.fatalf("%.300s: %v", expression, err)
	}
	return answer
}

// quote writes a text as a script has it.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // texts can be written
	}
	return string(quoted)
}

// leads does something that leads to another page, and waits for that.
func (v *visitor) leads(what string, act func()) {
	v.t.Helper()
	for len(v.loaded) > 0 {
		<-v.loaded
	}
	act()
	select {
	case <-v.loaded:
	case <-time.After(patience):
		v.fatalf("%s led to no other page from %s", what, v.at())
	}
}

// open goes to an address, or to a path of the server.
func (v *visitor) open(address string) {
	v.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.place.fixture.Issuer + address
	}
	v.leads("opening "+address, func() {
		if answer := call(v, page.Navigate, page.NavigateParams{URL: address}); answer.ErrorText != "" {
			v.fatalf("%s: %s", address, answer.ErrorText)
		}
	})
}

// at is where the browser is.
func (v *visitor) at() *url.URL {
	v.t.Helper()
	u, err := url.Parse(ask[string](v, "location.href"))
	v.must(err)
	return u
}

// wantAt says where the browser has to be: a path here, or an address elsewhere
// without its query. It returns the query.
func (v *visitor) wantAt(where string) url.Values {
	v.t.Helper()
	u := v.at()
	if strings.HasPrefix(where, "/") {
		where = v.place.fixture.Issuer + where
	}
	if at := u.Scheme + "://" + u.Host + u.Path; at != where {
		v.fatalf("the browser is at %s, not at %s", at, where)
	}
	return u.Query()
}

// has reports whether there is such an element.
func (v *visitor) has(selector string) bool {
	v.t.Helper()
	return ask[bool](v, "document.querySelector("+quote(selector)+") !== null")
}

func (v *visitor) want(selectors ...string) {
	v.t.Helper()
	for _, s := range selectors {
		if !v.has(s) {
			v.fatalf("%s has no %s", v.at(), s)
		}
	}
}

// value is what is filled in in a field.
func (v *visitor) value(selector string) string {
	v.t.Helper()
	return ask[string](v, "document.querySelector("+quote(selector)+").value")
}

// press is a click, or the keys that do the same, on something that does not lead
// away.
func (v *visitor) press(selector string) {
	v.t.Helper()
	v.presses++
	if !v.way.keyboard {
		v.click(selector)
		return
	}
	v.reach(selector)
	// Enter would send the form of a box that is to be ticked.
	if ask[bool](v, "document.activeElement.matches('input[type=checkbox], input[type=radio], summary')") {
		v.key(space)
	} else {
		v.key(enter)
	}
}

// follow presses what leads to another page.
func (v *visitor) follow(selector string) {
	v.t.Helper()
	v.leads(selector, func() { v.press(selector) })
}

// write puts a text into a field, over what was there.
func (v *visitor) write(selector, text string) {
	v.t.Helper()
	if v.way.keyboard {
		v.reach(selector)
	} else {
		v.click(selector)
	}
	ask[bool](v, "document.activeElement.select?.(), true")
	call(v, input.InsertText, input.InsertTextParams{Text: text})
}

// pick chooses in a list, as somebody does who types what it says there.
func (v *visitor) pick(selector, value string) {
	v.t.Helper()
	if v.way.keyboard {
		v.reach(selector)
	} else {
		ask[bool](v, "document.querySelector("+quote(selector)+").focus(), true")
	}
	for range 40 {
		at := ask[int](v, fmt.Sprintf("(s => [...s.options].findIndex(o => o.value === %s) - s.selectedIndex)(document.activeElement)", quote(value)))
		switch {
		case at == 0:
			return
		case at < 0:
			v.key(up)
		default:
			v.key(down)
		}
	}
	v.fatalf("%s cannot be chosen in %s", value, selector)
}

// click presses the mouse in the middle of what is to be seen of an element.
func (v *visitor) click(selector string) {
	v.t.Helper()
	spot := ask[struct {
		X, Y    float64
		Problem string
	}](v, `(() => {
		const e = document.querySelector(`+quote(selector)+`);
		if (!e) return {problem: "is not there"};
		e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getClientRects()[0];
		if (!r || !r.width) return {problem: "is not to be seen"};
		const x = (Math.max(r.left, 0) + Math.min(r.right, innerWidth)) / 2, y = (Math.max(r.top, 0) + Math.min(r.bottom, innerHeight)) / 2;
		const hit = document.elementFromPoint(x, y);
		const ok = hit && (e.contains(hit) || hit.contains(e) && hit.matches("label") || hit.closest("label")?.control === e);
		return ok ? {x, y} : {problem: "is under " + (hit ? hit.outerHTML.slice(0, 100) : "nothing")};
	})()`)
	if spot.Problem != "" {
		v.fatalf("%s: %s %s", v.at(), selector, spot.Problem)
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		call(v, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: spot.X, Y: spot.Y, Button: input.MouseButtonLeft, ClickCount: 1})
	}
}

// key is a key of the keyboard.
type key struct {
	name string
	code int64
	text string
}

var (
	tab   = key{"Tab", 9, ""}
	enter = key{"Enter", 13, "\r"}
	space = key{" ", 32, " "}
	up    = key{"ArrowUp", 38, ""}
	down  = key{"ArrowDown", 40, ""}
)

func (v *visitor) key(k key) {
	v.t.Helper()
	kind := input.DispatchKeyEventTypeRawKeyDown
	if k.text != "" {
		kind = input.DispatchKeyEventTypeKeyDown
	}
	call(v, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: k.name, WindowsVirtualKeyCode: k.code, NativeVirtualKeyCode: k.code, Text: k.text})
	call(v, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: k.name, WindowsVirtualKeyCode: k.code, NativeVirtualKeyCode: k.code})
}

// reach goes from one thing to the next with the Tab key until it is at an element,
// or at the group of buttons of which it is one and in which the arrows move. Wherever
// it comes by it has to be seen that it is there.
func (v *visitor) reach(selector string) {
	v.t.Helper()
	const many = 200
	for range many {
		v.key(tab)
		stop := ask[struct {
			There, Group bool
			Problem      string
		}](v, "("+focusStop+")("+quote(selector)+")")
		if stop.Problem != "" {
			v.t.Errorf("%s: %s", v.at(), stop.Problem)
		}
		if stop.There {
			return
		}
		if stop.Group {
			for range many {
				v.key(down)
				if ask[bool](v, "document.activeElement.matches("+quote(selector)+")") {
					return
				}
			}
		}
	}
	v.fatalf("%s: the keyboard does not come to %s", v.at(), selector)
}

// focusStop tells of where the focus is whether it is where it should be, and whether
// that can be seen (WCAG 2.4.7, 2.4.11): the mark is there, is inside the window, and
// is not under anything.
const focusStop = `selector => {
	const e = document.activeElement, wanted = document.querySelector(selector);
	if (!e || e === document.body) return {there: false};
	const is = e.matches(selector);
	const group = !is && e.type === "radio" && wanted?.type === "radio" && wanted.name === e.name && wanted.form === e.form;
	const name = e.outerHTML.slice(0, 160);
	let marked = false;
	for (let a = e, i = 0; a && i < 3 && !marked; a = a.parentElement, i++) {
		const s = getComputedStyle(a);
		marked = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
	}
	const r = e.getClientRects()[0];
	let problem = "";
	if (!marked) problem = "it cannot be seen that the focus is on " + name;
	else if (!r || r.width < 2 || r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth)
		problem = "the focus is outside of the window on " + name;
	else {
		const [l, t, w, h] = [Math.max(r.left, 0), Math.max(r.top, 0), 0, 0];
		const right = Math.min(r.right, innerWidth), bottom = Math.min(r.bottom, innerHeight);
		for (const [x, y] of [[(l + right) / 2, (t + bottom) / 2], [(l + right) / 2, t + 2], [(l + right) / 2, bottom - 2]]) {
			const hit = document.elementFromPoint(x, y);
			if (hit && !e.contains(hit) && !hit.contains(e)) problem = "the focus on " + name + " is covered by " + hit.outerHTML.slice(0, 100);
		}
	}
	return {there: is, group, problem};
}`
