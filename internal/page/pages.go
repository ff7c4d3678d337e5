package page

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
)

// Config is what Pages needs.
type Config struct {
	// Issuer is the URL below which everything is served.
	Issuer *url.URL
	// FormKey keys the anti-forgery tokens in forms; 32 bytes.
	FormKey []byte
	// Words say what scopes let somebody do; they come before ours.
	Words Words
	// Kinds say what things are, by their types.
	Kinds Words
	// Zone is where people are until their browser says otherwise; nil for UTC.
	Zone *time.Location
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// Pages makes pages. Its methods may be called concurrently.
type Pages struct {
	Config
	base   string // before every path, without a final slash
	secure bool   // cookies are Secure and have the __Host- prefix
}

// New checks the configuration.
func New(c Config) (*Pages, error) {
	if c.Issuer == nil {
		return nil, errors.New("page: no issuer")
	}
	if len(c.FormKey) != 32 {
		return nil, errors.New("page: the form key has to have 32 bytes")
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Pages{Config: c, base: strings.TrimSuffix(c.Issuer.Path, "/"), secure: c.Issuer.Scheme == "https"}, nil
}

// Base is the path of the issuer, without a final slash: it comes before every
// path of a page.
func (p *Pages) Base() string { return p.base }

// A Set is the templates of one adapter. Each page is a file NAME.html that defines
// "title" and "main"; parts.html, if there is one, defines what several share.
type Set struct {
	pages *Pages
	files fs.FS
	mu    sync.Mutex
	made  map[string]*template.Template // by the language and the name
}

// Set makes a set of the files in a directory. A template is parsed when it is first
// shown in a language, so that starting costs nothing.
func (p *Pages) Set(files fs.FS) *Set {
	return &Set{pages: p, files: files, made: map[string]*template.Template{}}
}

// template returns a page in a language. That a template does not parse is a slip
// of ours, which the test of each set comes upon.
func (s *Set) template(name string, lang language.Tag) (*template.Template, error) {
	key := lang.String() + "/" + name
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.made[key]; ok {
		return t, nil
	}
	t, err := template.New("frame.html").Funcs(s.pages.functions(lang)).ParseFS(frameFiles, "frame/*.html")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(s.files, "parts.html"); err == nil {
		if t, err = t.ParseFS(s.files, "parts.html"); err != nil {
			return nil, err
		}
	}
	if t, err = t.ParseFS(s.files, name+".html"); err != nil {
		return nil, err
	}
	s.made[key] = t
	return t, nil
}

// Names lists the pages of the set.
func (s *Set) Names() ([]string, error) {
	files, err := fs.Glob(s.files, "*.html")
	var names []string
	for _, f := range files {
		if f != "parts.html" {
			names = append(names, strings.TrimSuffix(path.Base(f), ".html"))
		}
	}
	return names, err
}

// Answer is the answer to one request of a browser: it knows which language its
// reader speaks, and where and when that is. It belongs to one goroutine.
type Answer struct {
	W http.ResponseWriter
	R *http.Request

	pages *Pages
	lang  language.Tag
	zone  *time.Location
	now   time.Time
	dates map[date]template.HTML // that were said
}

// Open begins an answer.
func (p *Pages) Open(w http.ResponseWriter, r *http.Request) *Answer {
	return &Answer{W: w, R: r, pages: p, lang: p.languageOf(r), zone: p.zoneOf(r), now: p.Now(), dates: map[date]template.HTML{}}
}

// Base is [Pages.Base], for data that embeds it.
func (a *Answer) Base() string { return a.pages.base }

// Language is the language of the answer, as a tag of BCP 47.
func (a *Answer) Language() string { return a.lang.String() }

// Say says a sentence of ours, with what is put into it escaped.
func (a *Answer) Say(english string, args ...any) template.HTML {
	return speak(a.lang, english, args...)
}

// Whose says a sentence about what is the reader's own or, where there is a name, its twin
// about that person's things, in which the name comes last.
func (a *Answer) Whose(name, own, theirs string, args ...any) template.HTML {
	return whose(a.lang, name, own, theirs, args...)
}

// Tell says a text that may have something of somebody else in it.
func (a *Answer) Tell(text string) template.HTML { return tell(a.lang, text) }

// Says reports whether a text is a sentence of ours to the letter, which Tell says in the
// language of the answer.
func (a *Answer) Says(text string) bool { return ours(a.lang, text) }

// Options is what the frame around a page needs. The zero value is a page for a
// guest, without tabs, that leads nowhere else.
type Options struct {
	// Tab marks one of the tabs; "" is a page without tabs.
	Tab string
	// Waiting is the number at the tab of requests.
	Waiting int
	// Who is signed in; "" for nobody. Tone is what the colour of their face is of.
	Who, Tone string
	// Acting says for whom somebody acts who is not the owner; nil for nobody.
	Acting *Acting
	// Done says what has just been done; nil for nothing.
	Done *Done
	// Problem is what was wrong with the form that was sent before; "" for nothing.
	Problem template.HTML
	// LeadsTo is a URI to which the redirect that answers a form of this page may
	// lead: browsers hold redirects to form-action, too.
	LeadsTo string
	// Live is the path of an event stream that says when this page is out of date.
	Live string
	// Refresh reloads the page after so many seconds where there is no script; 0 for never.
	Refresh int
	// Stay is where the browser comes back to when another language was chosen; "" for
	// the path of this page.
	Stay string
	// Wide gives a page without tabs more than one narrow column.
	Wide bool
}

// Acting is the banner over everything that is done for somebody else.
type Acting struct {
	Name  string
	Until *Moment // nil: without an end
	Looks bool    // may look, and do nothing
	Leave string  // where to stop acting
	Own   string  // the space of their own, which a form with the token Form goes to there; "" when they have none
	Form  string
}

// Done is the toast after an act.
type Done struct {
	Said template.HTML
	Undo string // where a form that takes it back is posted to; "" for nowhere
	Form string // the token of that form
	Name string // a hidden field of it, and its value
	With string
}

// frame is the root that the templates of the frame are given.
type frame struct {
	Options
	Lang, Dir, Base, Nonce string
	Title                  string
	Languages              []spoken
	Page                   any
}

// Show answers with a page. data is what its templates are given.
func (a *Answer) Show(status int, set *Set, name string, o Options, data any) {
	t, err := set.template(name, a.lang)
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // a slip of ours; see template
	}
	nonce := rand.Text()
	f := frame{
		Options: o, Lang: a.lang.String(), Dir: direction(a.lang), Base: a.pages.base, Nonce: nonce,
		Languages: offered(a.lang), Page: data,
	}
	if f.Stay == "" && status == http.StatusOK {
		f.Stay = a.R.URL.EscapedPath() // without the query, which may have a secret of somebody
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "title", data); err != nil {
		panic(fmt.Sprintf("page: %v", err))
	}
	f.Title = withoutTags(b.String())
	b.Reset()
	if err := t.ExecuteTemplate(&b, "frame.html", f); err != nil {
		panic(fmt.Sprintf("page: %v", err))
	}
	h := a.W.Header()
	a.headers(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", a.lang.String())
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"script-src 'nonce-"+nonce+"'; require-trusted-types-for 'script'; trusted-types licet; "+
		"form-action 'self'"+formTarget(o.LeadsTo)+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Add("Vary", "Accept-Language, Cookie")
	a.W.WriteHeader(status)
	if a.R.Method != http.MethodHead {
		_, _ = a.W.Write(b.Bytes()) // a browser that is gone cannot be told
	}
}

var anyTag = regexp.MustCompile(`<[^>]*>`)

// withoutTags is the text of a sentence, for where a browser shows a tag as it is
// written.
func withoutTags(said string) string { return html.UnescapeString(anyTag.ReplaceAllString(said, "")) }

// Redirect sends the browser on. It is 303 whatever came before, so that no form
// with a secret in it is ever sent on (SEC-068), and it has no body.
func (a *Answer) Redirect(uri string) {
	a.headers(a.W.Header())
	a.W.Header().Set("Location", uri)
	a.W.WriteHeader(http.StatusSeeOther)
}

// headers are for every answer to a browser.
func (a *Answer) headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if a.pages.secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// formTarget is the form-action source for a URI: its origin, or its scheme where an
// origin cannot be written (a native application's own scheme, an IPv6 address).
func formTarget(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || uri == "":
		return ""
	case u.Scheme != "https" && u.Scheme != "http" || strings.Contains(u.Host, "["):
		return " " + u.Scheme + ":"
	default:
		return " " + u.Scheme + "://" + u.Host
	}
}
