package endpoint

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// browser is a person's browser without scripts: it keeps cookies, and posts
// what the forms of a page hold. It follows only redirects that stay at this
// server, as a test wants to see the others.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w, &http.Client{Jar: jar, Transport: w.HTTP.Transport, CheckRedirect: func(r *http.Request, before []*http.Request) error {
		if len(before) > 10 {
			return errors.New("sent on for ever")
		}
		if strings.HasPrefix(r.URL.String(), w.Issuer+"/") {
			return nil
		}
		return http.ErrUseLastResponse
	}}}
}

// get opens a path of this server.
func (b *browser) get(path string) answer {
	b.w.t.Helper()
	return b.w.send(b.client, http.MethodGet, b.w.Issuer+path, nil, "")
}

// post sends a form to a path, as the page of this very server would.
func (b *browser) post(path string, form url.Values) answer {
	b.w.t.Helper()
	return b.postFrom("same-origin", path, form)
}

// postFrom sends a form as a page of another site or origin would, as far as a
// browser tells it.
func (b *browser) postFrom(site, path string, form url.Values) answer {
	b.w.t.Helper()
	return b.w.send(b.client, http.MethodPost, b.w.Issuer+path, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {site}, "Origin": {"null"},
	}, form.Encode())
}

// press fills in the form in which the button with an id is, and presses it. fill are
// name and value pairs; a value "" unticks a box.
func (b *browser) press(on answer, button string, fill ...string) answer {
	b.w.t.Helper()
	f, ok := findForm(b.w.t, on.Body, button)
	if !ok {
		b.w.t.Fatalf("there is no button %q on the page:\n%s", button, on.Body)
	}
	for i := 0; i+1 < len(fill); i += 2 {
		f.values.Set(fill[i], fill[i+1])
		if fill[i+1] == "" {
			f.values.Del(fill[i])
		}
	}
	return b.post(strings.TrimPrefix(f.action, b.w.Server.base), f.values)
}

// signIn signs a person in with the form on a page.
func (b *browser) signIn(on answer, who resident) answer {
	b.w.t.Helper()
	return b.press(on, "sign-in", "email", who.Email, "password", testPassword)
}

// cookie returns the value of a cookie of this server, "" when there is none.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.w.Issuer)
	b.w.must(err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == b.w.Server.Pages.CookieName(name) {
			return c.Value
		}
	}
	return ""
}

// session is the browser's sign-in.
func (b *browser) session() string { return b.cookie("licet-session") }

// setCookie plants a cookie, over http.
func (b *browser) setCookie(name, value string) {
	u, err := url.Parse(b.w.Issuer)
	b.w.must(err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// sentTo reads where an answer sends the browser: the URI without its query,
// and the query.
func sentTo(t testing.TB, a answer) (string, url.Values) {
	t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d, want a redirect with 303:\n%s", a.StatusCode, a.Body)
	}
	uri, query, _ := strings.Cut(a.Header.Get("Location"), "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return uri, values
}

// pageForm is what pressing a button would send.
type pageForm struct {
	action string
	values url.Values
}

// findForm finds the form around a button. Boxes count as the page ticks them.
func findForm(t testing.TB, page []byte, button string) (pageForm, bool) {
	t.Helper()
	var f pageForm
	found := false
	for tag := range tags(t, page) {
		switch name := tag.Name.Local; {
		case name == "form":
			if found {
				return f, true
			}
			if attr(tag, "method") != "post" {
				t.Errorf("a form is not posted: %v", tag)
			}
			f = pageForm{attr(tag, "action"), url.Values{}}
		case name == "input":
			kind := attr(tag, "type")
			if (kind != "checkbox" && kind != "radio" || has(tag, "checked")) && attr(tag, "name") != "" {
				f.values.Set(attr(tag, "name"), attr(tag, "value"))
			}
		case name == "button" && attr(tag, "id") == button:
			found = true
			if attr(tag, "name") != "" {
				f.values.Set(attr(tag, "name"), attr(tag, "value"))
			}
		}
	}
	return f, found
}

// tags yields the opening tags of a page.
func tags(t testing.TB, page []byte) func(func(xml.StartElement) bool) {
	d := xml.NewDecoder(strings.NewReader(string(page)))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	return func(yield func(xml.StartElement) bool) {
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("the page is not well formed: %v\n%s", err, page)
			}
			if tag, ok := token.(xml.StartElement); ok && !yield(tag) {
				return
			}
		}
	}
}

// tagByID finds a tag by its id.
func tagByID(t testing.TB, page []byte, id string) (xml.StartElement, bool) {
	t.Helper()
	for tag := range tags(t, page) {
		if attr(tag, "id") == id {
			return tag, true
		}
	}
	return xml.StartElement{}, false
}

func attr(tag xml.StartElement, name string) string {
	for _, a := range tag.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func has(tag xml.StartElement, name string) bool {
	return slices.ContainsFunc(tag.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
}
