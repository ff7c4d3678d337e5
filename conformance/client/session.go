package client

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// newStage starts the doubles for one check, and the client if it is a web
// application. Close ends them.
func newStage(ctx context.Context, f *Fixture, web bool) (s *stage, err error) {
	s = &stage{fixture: f, web: web, good: map[string][]string{}}
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	if s.as, err = s.newDouble(server, f.ListenAS, f.Issuer); err != nil {
		return s, err
	}
	s.close = append(s.close, s.as.server.Close)
	if s.other, err = s.newDouble(stranger, "127.0.0.1:0", ""); err != nil {
		return s, err
	}
	s.close = append(s.close, s.other.server.Close)
	if s.api, err = wire.Serve(f.ListenAPI, subject, api, &s.log, http.HandlerFunc(s.serveAPI)); err != nil {
		return s, err
	}
	s.close = append(s.close, s.api.Close)
	if s.base = s.api.URL; f.API != "" {
		s.base = strings.TrimRight(f.API, "/")
	}
	if web && len(f.Web.Start) > 0 {
		p, err := wire.Start(wire.Replace(f.Web.Start, map[string]string{"issuer": s.as.issuer}))
		if err != nil {
			return s, err
		}
		s.close = append(s.close, p.Stop)
		u, err := url.Parse(f.Web.Fetch)
		if err != nil {
			return s, err
		}
		return s, p.Ready(ctx, u.Scheme+"://"+u.Host+"/")
	}
	return s, nil
}

func (s *stage) end() {
	for _, f := range slices.Backward(s.close) {
		f()
	}
}

// fetch makes the client fetch pages one after the other, for one person.
func (s *stage) fetch(t *trial.Trial, pages ...string) {
	if s.web {
		b := newBrowser()
		for _, page := range pages {
			s.browse(t, b, page)
		}
		return
	}
	var line []string
	for _, word := range s.fixture.Run {
		if !strings.Contains(word, "{url}") {
			line = append(line, strings.ReplaceAll(word, "{issuer}", s.as.issuer))
			continue
		}
		for _, page := range pages {
			line = append(line, strings.ReplaceAll(word, "{url}", s.base+page))
		}
	}
	limit := time.Duration(s.fixture.TimeoutSeconds) * time.Second
	if _, err := wire.Run(t.Context, limit, line); err != nil {
		t.Broken(nil, "the client cannot be run: %s", err)
	}
}

// all is everything that was said.
func (s *stage) all() []wire.Message { return s.log.Since(0, "", "") }

// delivered says whether the API gave a page out.
func (s *stage) delivered(page string) bool {
	return slices.ContainsFunc(s.log.Since(0, api, page), func(m wire.Message) bool {
		return m.Status == http.StatusOK && m.AnswerBody == "the content of "+page
	})
}

// asked are the requests of the client to the token endpoint of a double.
func (s *stage) asked(d *double) []wire.Message { return s.log.Since(0, d.name, pathToken) }

// tickets are the tickets of token requests, in their order.
func tickets(list []wire.Message) []string {
	var out []string
	for _, m := range list {
		form, _ := m.Form()
		if t := form.Get("ticket"); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// faulty ends the check if a double noticed a fault of one of the requirements.
func (s *stage) faulty(t *trial.Trial, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if slices.Contains(ids, f.id) {
			shown := s.log.Since(f.mark, f.to, f.path)
			t.Fault(shown[:min(1, len(shown))], "%s", f.sentence)
		}
	}
}

// secrets are what may go to the trusted authorization server only.
func (s *stage) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := append([]string{s.fixture.Client.Secret}, s.pcts...)
	return append(out, s.claims...)
}

// told ends the check if a secret, or one of some others, went to somebody.
func (s *stage) told(t *trial.Trial, to, how string, more ...string) {
	for _, m := range s.log.Since(0, to, "") {
		for _, secret := range append(s.secrets(), more...) {
			if asks(m, secret) {
				t.Fault([]wire.Message{m}, "a secret of the client is told to the %s %s", to, how)
			}
		}
	}
}

// asks looks for a secret also where Basic hides it.
func asks(m wire.Message, secret string) bool {
	if secret == "" {
		return false
	}
	r := http.Request{Header: m.Header}
	_, password, basic := r.BasicAuth()
	if plain, err := url.QueryUnescape(password); basic && err == nil && plain == secret {
		return true
	}
	return m.Asks(secret)
}

// honest expects that the client gets a page where everything is as it should
// be.
func (s *stage) gets(t *trial.Trial, what string, pages ...string) {
	for _, page := range pages {
		if !s.delivered(page) {
			t.Fault(s.all(), "%s: the client does not get %s", what, page)
		}
	}
}
