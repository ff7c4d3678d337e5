package authorizationserver

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// browser is a person's browser without scripts. It understands pages as far as
// forms go: it fills in e-mail address and password, and presses the first
// button.
type browser struct {
	*session
	cookies map[string]string
	visited []wire.Message
}

func (s *session) browser() *browser { return &browser{session: s, cookies: map[string]string{}} }

func (b *browser) request(t *trial.Trial, method, uri string, header http.Header, body string) wire.Message {
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	if len(pairs) > 0 {
		header.Set("Cookie", strings.Join(pairs, "; "))
	}
	m := b.call(t, "browser", method, uri, header, body)
	for _, c := range (&http.Response{Header: m.Answer}).Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		}
	}
	b.visited = append(b.visited, m)
	return m
}

// get opens a URI and follows redirects within the server. It returns the page, or
// where the server sent the browser away to.
func (b *browser) get(t *trial.Trial, uri string) (page wire.Message, away string) {
	return b.follow(t, b.request(t, http.MethodGet, uri, http.Header{}, ""), uri)
}

func (b *browser) follow(t *trial.Trial, m wire.Message, at string) (wire.Message, string) {
	for range 10 {
		location := m.Answer.Get("Location")
		if m.Status < 300 || m.Status >= 400 || location == "" {
			return m, ""
		}
		base, err := url.Parse(at)
		if err != nil {
			t.Broken(b.visited, "the browser is at no URI: %v", err)
		}
		next, err := base.Parse(location)
		if err != nil {
			t.Fault(b.visited, "the browser is sent to %q", location)
		}
		if next.Host != base.Host {
			return m, next.String()
		}
		at = next.String()
		m = b.request(t, http.MethodGet, at, http.Header{}, "")
	}
	t.Fault(b.visited, "the browser is sent on for ever")
	return m, ""
}

// form is a form of a page with what stands in it.
type form struct {
	action   string
	values   url.Values
	hidden   []string // the names of hidden fields
	password string   // the name of the field for a password
	email    string
	remember string // the name of a box that may be ticked
}

var (
	forms  = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fields = regexp.MustCompile(`(?is)<(input|button)\b([^>]*)>`)
	pair   = regexp.MustCompile(`(?is)([a-z-]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)`)
)

func attributes(s string) map[string]string {
	out := map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(s, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(strings.Trim(m[2], `"'`))
	}
	return out
}

// formsOf reads the forms of a page that are sent by POST.
func formsOf(body string) []form {
	var out []form
	for _, m := range forms.FindAllStringSubmatch(body, -1) {
		at := attributes(m[1])
		if !strings.EqualFold(at["method"], http.MethodPost) {
			continue
		}
		f := form{action: at["action"], values: url.Values{}}
		pressed := false
		for _, field := range fields.FindAllStringSubmatch(m[2], -1) {
			a := attributes(field[2])
			switch {
			case strings.EqualFold(field[1], "button") || a["type"] == "submit":
				if !pressed && a["name"] != "" {
					f.values.Set(a["name"], a["value"])
				}
				pressed = true
			case a["type"] == "hidden":
				f.values.Set(a["name"], a["value"])
				f.hidden = append(f.hidden, a["name"])
			case a["type"] == "password":
				f.password = a["name"]
			case a["type"] == "email" || a["autocomplete"] == "username":
				f.email = a["name"]
			case a["type"] == "checkbox" && f.remember == "":
				f.remember = a["name"]
			}
		}
		out = append(out, f)
	}
	return out
}

// submit sends a form as the page itself would.
func (b *browser) submit(t *trial.Trial, page wire.Message, at string, f form) (wire.Message, string) {
	base, err := url.Parse(at)
	if err != nil {
		t.Broken(one(page), "the page is at no URI: %v", err)
	}
	to, err := base.Parse(f.action)
	if err != nil {
		t.Fault(one(page), "the form goes to %q", f.action)
	}
	header := http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {base.Scheme + "://" + base.Host}, "Sec-Fetch-Site": {"same-origin"},
	}
	return b.follow(t, b.request(t, http.MethodPost, to.String(), header, f.values.Encode()), to.String())
}

// interaction is the URI of the claims interaction endpoint with parameters as
// name and value pairs.
func (s *session) interaction(t *trial.Trial, more ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	uri := s.at(t, "claims_interaction_endpoint")
	if strings.Contains(uri, "?") {
		return uri + "&" + query.Encode()
	}
	return uri + "?" + query.Encode()
}

// walk sends a person through the claims interaction, agreeing to everything, and
// returns where it ended: away, or the last page. stop, if there is one, is asked
// before each form after the sign-in and may end the walk.
func (b *browser) walk(t *trial.Trial, who Person, remember bool, stop func(page wire.Message, at string, f form) bool, uri string) (wire.Message, string) {
	page, away := b.get(t, uri)
	for range 8 {
		if away != "" {
			return page, away
		}
		list := formsOf(page.AnswerBody)
		if len(list) == 0 {
			return page, ""
		}
		f := list[0]
		if page.Status >= 400 && f.password == "" {
			return page, "" // a page that says no; what can be pressed on it is about something else
		}
		at := strings.TrimSuffix(b.Issuer, "/") + page.Target
		if u, err := url.Parse(b.Issuer); err == nil {
			at = u.Scheme + "://" + u.Host + page.Target
		}
		if f.password != "" {
			f.values.Set(f.email, who.Email)
			f.values.Set(f.password, who.Password)
		} else {
			if remember && f.remember != "" {
				f.values.Set(f.remember, "yes")
			}
			if stop != nil && stop(page, at, f) {
				return page, ""
			}
		}
		page, away = b.submit(t, page, at, f)
	}
	t.Broken(b.visited, "the claims interaction does not end")
	return page, ""
}
