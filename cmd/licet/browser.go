package main

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

// browser plays a person at a browser: it keeps cookies, follows no redirect by
// itself, and fills in the forms of the pages it is shown.
type browser struct {
	http *http.Client
}

func newBrowser(base http.RoundTripper) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{http: &http.Client{
		Jar: jar, Transport: base,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, err
}

// cookie is a cookie as this browser would send it.
func (b *browser) cookie(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// page is what a browser was answered.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   []byte
}

func (b *browser) do(req *http.Request) (page, error) {
	resp, err := b.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return page{resp.Request.URL, resp.StatusCode, resp.Header, body}, err
}

// open goes to an address and on, as far as redirects lead.
func (b *browser) open(address string) (page, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	p, err := b.do(req)
	return b.follow(p, err)
}

// maxRedirects is how far a browser follows before it takes the way for a
// circle.
const maxRedirects = 10

func (b *browser) follow(p page, err error) (page, error) {
	for range maxRedirects {
		if err != nil || p.status != http.StatusSeeOther && p.status != http.StatusFound {
			return p, err
		}
		var to *url.URL
		if to, err = p.url.Parse(p.header.Get("Location")); err != nil {
			return p, err
		}
		var req *http.Request
		if req, err = http.NewRequest(http.MethodGet, to.String(), nil); err == nil {
			p, err = b.do(req)
		}
	}
	return p, errors.Join(err, errors.New("the redirects go on and on"))
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attr     = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attr.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// submit fills in the page's form and sends it: hidden inputs as they are, the
// given values over them. It goes on as far as redirects lead.
func (b *browser) submit(p page, values map[string]string) (page, error) {
	tag := formTag.FindString(string(p.body))
	if tag == "" {
		return page{}, fmt.Errorf("the page at %s has no form", p.url)
	}
	form := url.Values{}
	for _, input := range inputTag.FindAllString(string(p.body), -1) {
		if a := attributes(input); a["type"] == "hidden" {
			form.Set(a["name"], a["value"])
		}
	}
	for name, value := range values {
		form.Set(name, value)
	}
	to, err := p.url.Parse(attributes(tag)["action"])
	if err != nil {
		return page{}, err
	}
	req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", to.Scheme+"://"+to.Host)
	p, err = b.do(req)
	return b.follow(p, err)
}
