package client

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/licet/licet/conformance/internal/wire"
)

// stage is the world of one check: the doubles and what they know.
type stage struct {
	fixture *Fixture
	web     bool // the client is a web application
	log     wire.Log
	as      *double // the one that the client may trust
	other   *double // the stranger
	api     *wire.Server
	base    string // of the URLs of the API

	mu     sync.Mutex
	good   map[string][]string // RPT → pages
	pcts   []string
	claims []string // claim tokens that were pushed
	faults []fault
	// answer answers a page instead of the API, if it returns true.
	answer func(w http.ResponseWriter, page, rpt string) bool
	// challenge writes another challenge than the plain one.
	challenge func(w http.ResponseWriter, page string)
	close     []func()
}

// fault is a requirement that a message of the client breaks.
type fault struct {
	id, sentence string
	to, path     string
	mark         int // of the log, before the message was in it
}

// newDouble starts an authorization server. An empty issuer is its address.
func (s *stage) newDouble(name, address, issuer string) (*double, error) {
	s.mu.Lock() // nobody is served before the issuer is known
	defer s.mu.Unlock()
	d := &double{stage: s, name: name, tickets: map[string]*ticket{}}
	var err error
	if d.server, err = wire.Serve(address, subject, name, &s.log, d); err != nil {
		return nil, fmt.Errorf("the double: %w", err)
	}
	if d.issuer = issuer; issuer == "" {
		d.issuer = d.server.URL
	}
	return d, nil
}

func (d *double) wrong(id string, r *http.Request, format string, args ...any) {
	d.faults = append(d.faults, fault{id, fmt.Sprintf(format, args...), d.name, r.URL.EscapedPath(), d.log.Mark()})
}

// serveAPI is the protected API: every path is a page.
func (s *stage) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := r.URL.Path
	rpt := wire.Message{Header: r.Header}.Bearer()
	if s.answer != nil && s.answer(w, page, rpt) {
		return
	}
	if rpt != "" && slices.Contains(s.good[rpt], page) {
		_, _ = w.Write([]byte("the content of " + page)) // into memory
		return
	}
	if s.challenge != nil {
		s.challenge(w, page)
		return
	}
	challengeFor(w, s.as, page)
}

// challengeFor is the plain challenge of Grant 3.2.1.
func challengeFor(w http.ResponseWriter, d *double, page string) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`UMA realm="conformance", as_uri="%s", ticket="%s"`, d.issuer, d.newTicket(page)))
	w.WriteHeader(http.StatusUnauthorized)
}

// script sets what the doubles do, under their lock.
func (s *stage) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
