package client

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
)

// browser is a person's: it keeps cookies and follows redirects.
type browser struct{ *http.Client }

func newBrowser() browser {
	jar, _ := cookiejar.New(nil) // fails never
	return browser{&http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// browse has a person's browser make the web application fetch a page. What the
// person sees in the end is returned.
func (s *stage) browse(t *trial.Trial, b browser, page string) string {
	return b.visit(t, strings.ReplaceAll(s.fixture.Web.Fetch, "{url}", url.QueryEscape(s.base+page)))
}

func (b browser) visit(t *trial.Trial, address string) string {
	req, err := http.NewRequestWithContext(t.Context, http.MethodGet, address, nil)
	if err != nil {
		t.Broken(nil, "%s", err)
	}
	res, err := b.Do(req)
	if err != nil {
		t.Broken(nil, "the browser gets no answer: %s", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Broken(nil, "the browser gets no answer: %s", err)
	}
	return string(body)
}
