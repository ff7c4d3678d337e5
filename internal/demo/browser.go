package demo

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// browser plays a person at a browser without scripts: it keeps cookies, and fills in
// the forms of the pages it is shown. After something has gone wrong it does nothing
// any more until failed was asked.
type browser struct {
	http *http.Client
	at   *url.URL
	text string // of the page that it shows
	err  error
}

// failed returns what has gone wrong since it was last asked.
func (b *browser) failed() error {
	err := b.err
	b.err = nil
	return err
}

func newBrowser(base http.RoundTripper) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{http: &http.Client{
		Jar: jar, Transport: base,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, err
}

// maxRedirects is how far a browser follows before it takes the way for a circle.
const maxRedirects = 10

// do sends a request and follows wherever it leads.
func (b *browser) do(req *http.Request) error {
	for range maxRedirects {
		resp, err := b.http.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		b.at, b.text = req.URL, string(body)
		if resp.StatusCode != http.StatusSeeOther && resp.StatusCode != http.StatusFound {
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answered %s: %.300s", req.URL, resp.Status, body)
			}
			return nil
		}
		to, err := req.URL.Parse(resp.Header.Get("Location"))
		if err != nil {
			return err
		}
		if req, err = http.NewRequest(http.MethodGet, to.String(), nil); err != nil {
			return err
		}
	}
	return errors.New("the redirects go on and on")
}

// open goes to an address.
func (b *browser) open(address string) {
	if b.err != nil {
		return
	}
	if b.at != nil {
		to, err := b.at.Parse(address)
		if err != nil {
			b.err = err
			return
		}
		address = to.String()
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err == nil {
		err = b.do(req)
	}
	b.err = err
}

// shows wants the page to have texts.
func (b *browser) shows(texts ...string) {
	for _, text := range texts {
		if b.err == nil && !strings.Contains(b.text, text) {
			b.err = fmt.Errorf("%s should show %q, and shows %.3000s", b.at, text, main(b.text))
		}
	}
}

// main is what is inside of a page.
func main(text string) string {
	if i := strings.Index(text, "<main"); i >= 0 {
		return text[i:]
	}
	return text
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	inputTag = regexp.MustCompile(`<(?:input|select|textarea|button)[^>]*>`)
	linkTag  = regexp.MustCompile(`<a [^>]*>`)
	attr     = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	checked  = regexp.MustCompile(` checked(?:[ >])`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attr.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// link finds the address of the first link that leads to a path like this.
func (b *browser) link(like string) string {
	if b.err != nil {
		return ""
	}
	pattern := regexp.MustCompile(like)
	for _, tag := range linkTag.FindAllString(main(b.text), -1) {
		if to := attributes(tag)["href"]; pattern.MatchString(to) {
			return to
		}
	}
	b.err = fmt.Errorf("%s has no link like %s", b.at, like)
	return ""
}

// follow goes where the first link like this leads.
func (b *browser) follow(like string) { b.open(b.link(like)) }

// submit fills in the form that has an element with an id, or is one, and presses that:
// what is filled in or ticked already stays, the given values are written over it.
func (b *browser) submit(id string, values map[string]string) {
	if b.err == nil {
		b.err = b.send(id, values)
	}
}

func (b *browser) send(id string, values map[string]string) error {
	for _, form := range formTag.FindAllString(b.text, -1) {
		if !strings.Contains(form, ` id="`+id+`"`) {
			continue
		}
		sent := url.Values{}
		for _, tag := range inputTag.FindAllString(form, -1) {
			a := attributes(tag)
			field := strings.HasPrefix(tag, "<input") && a["type"] != "checkbox" && a["type"] != "radio"
			if a["name"] != "" && (field || a["id"] == id || checked.MatchString(tag)) {
				sent.Set(a["name"], a["value"])
			}
		}
		for name, value := range values {
			sent.Set(name, value)
		}
		to, err := b.at.Parse(attributes(form[:strings.Index(form, ">")+1])["action"])
		if err != nil {
			return err
		}
		req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(sent.Encode()))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
		return b.do(req)
	}
	return fmt.Errorf("%s has no form with %s: %.2000s", b.at, id, main(b.text))
}

// input is the name of the first input after a text of the page whose name begins like
// this.
func (b *browser) input(after, begins string) string {
	if i := strings.Index(b.text, after); i >= 0 && b.err == nil {
		for _, tag := range inputTag.FindAllString(b.text[i:], -1) {
			if name := attributes(tag)["name"]; strings.HasPrefix(name, begins) {
				return name
			}
		}
	}
	b.err = errors.Join(b.err, fmt.Errorf("%s has no %s after %q", b.at, begins, after))
	return ""
}
