package client

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// naive is a client that somebody wrote in an afternoon, with one mistake of
// choice. "none" is the client without a mistake.
type naive struct {
	options
	http  *http.Client
	kept  []naiveToken // RPTs, newest last
	pcts  map[string]string
	claim bool // it can push a claim token
}

type naiveToken struct{ rpt, issuer, origin, page string }

type answer struct {
	Ticket, Error, RPT, PCT, TokenType, RedirectUser string
	Interval                                         int
	Upgraded, Claims                                 bool
}

// gather is what a web application has to send its person away for.
type gather struct {
	ticket, issuer, endpoint string
}

func (*gather) Error() string { return "a person is needed" }

func newNaive(o options) *naive {
	n := &naive{options: o, pcts: map[string]string{}, claim: true, http: &http.Client{}}
	if !n.is("redirects are followed with everything") {
		n.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return n
}

func (n *naive) is(mistake string) bool { return n.broken == mistake }

func (n *naive) fetchAll(addresses []string) error {
	var faults error
	for _, address := range addresses {
		_, err := n.fetch(address)
		faults = errors.Join(faults, err)
	}
	return faults
}

// fetch gets a page, with a token that fits or after a walk to the
// authorization server.
func (n *naive) fetch(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	shown := n.fits(u)
	res, body, err := n.get(address, shown)
	if err != nil || res.StatusCode == http.StatusOK {
		return body, err
	}
	if shown != "" && n.is("the newest RPT is good for everything") {
		return "", errors.New("what else could be wrong?")
	}
	issuer, ticket, err := n.challenge(res.Header)
	if err != nil {
		return "", err
	}
	if n.is("a fresh ticket is not fetched after a refusal") {
		for range 3 {
			if err = n.seek(u, issuer, ticket); err == nil {
				break
			}
		}
	} else {
		err = n.seek(u, issuer, ticket)
	}
	if err != nil {
		return "", err
	}
	res, body, err = n.get(address, n.fits(u))
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return body, err
}

// fits is the newest token for the very page.
func (n *naive) fits(u *url.URL) string {
	for _, k := range slices.Backward(n.kept) {
		if k.origin == u.Host && (k.page == u.Path || n.is("the newest RPT is good for everything")) {
			return k.rpt
		}
	}
	return ""
}

func (n *naive) get(address, rpt string) (*http.Response, string, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	switch {
	case rpt == "":
	case n.is("the RPT is in the URL, too"):
		req.URL.RawQuery = "access_token=" + rpt
		fallthrough
	default:
		req.Header.Set("Authorization", "Bearer "+rpt)
	}
	res, err := n.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

var (
	asURI  = regexp.MustCompile(`(?i)as_uri="([^"]*)"`)
	letter = regexp.MustCompile(`(?i)ticket="([^"]*)"`)
	realm  = regexp.MustCompile(`^UMA realm="[^"]*", as_uri="([^"]*)", ticket="([^"]*)"$`)
)

func (n *naive) challenge(h http.Header) (issuer, ticket string, err error) {
	all := strings.Join(h.Values("WWW-Authenticate"), ", ")
	if n.is("a challenge is compared with the example") {
		m := realm.FindStringSubmatch(all)
		if m == nil {
			return "", "", errors.New("no challenge")
		}
		return m[1], m[2], nil
	}
	a, t := asURI.FindStringSubmatch(all), letter.FindStringSubmatch(all)
	if a == nil || t == nil {
		return "", "", errors.New("no challenge")
	}
	if a[1] != n.issuer && !n.is("any authorization server is trusted") && !n.is("a PCT is for any authorization server") && !n.is("an RPT is for any authorization server") {
		return "", "", errors.New("not trusted")
	}
	return a[1], t[1], nil
}

func (n *naive) metadata(issuer string) (map[string]any, error) {
	res, body, err := n.get(issuer+"/.well-known/uma2-configuration", "")
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return nil, err
	}
	if m["issuer"] != issuer && !n.is("the issuer of the metadata is not compared") {
		return nil, errors.New("another issuer")
	}
	if m["x_unknown"] != nil && n.is("unknown members are refused") {
		return nil, errors.New("what is this?")
	}
	for _, name := range []string{"token_endpoint", "claims_interaction_endpoint"} {
		u, err := url.Parse(m[name].(string))
		if err != nil || u.Hostname() != "127.0.0.1" && !n.is("plain http is spoken to anybody") {
			return nil, errors.New("plain http")
		}
	}
	return m, nil
}

// seek leads a process to an RPT.
func (n *naive) seek(u *url.URL, issuer, ticket string) error {
	m, err := n.metadata(issuer)
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:uma-ticket"}, "ticket": {ticket}}
	if pct := n.pcts[issuer]; pct != "" {
		form.Set("pct", pct)
	}
	if pct := n.pcts[n.issuer]; pct != "" && n.is("a PCT is for any authorization server") {
		form.Set("pct", pct)
	}
	if len(n.kept) > 0 {
		if before := n.kept[len(n.kept)-1]; before.issuer == issuer || n.is("an RPT is for any authorization server") {
			form.Set("rpt", before.rpt)
		}
	}
	pushed := false
	for range 150 {
		a, err := n.ask(m["token_endpoint"].(string), form)
		if err != nil && n.is("a lost answer is asked for again") {
			a, err = n.ask(m["token_endpoint"].(string), form)
		}
		if err != nil {
			return err
		}
		if a.RPT != "" {
			return n.keep(u, issuer, form.Get("rpt"), a)
		}
		switch a.Error {
		case "need_info", "request_submitted":
		case "request_denied":
			if n.is("a denied request is asked again") {
				_, err = n.fetch(u.String())
			}
			fallthrough
		default:
			return errors.Join(errors.New(a.Error), err)
		}
		if a.Ticket == form.Get("ticket") && !n.is("a repeated ticket is taken") {
			return errors.New("the ticket is repeated")
		}
		if !n.is("the first ticket is used for ever") {
			form.Set("ticket", a.Ticket)
		}
		form.Del("claim_token")
		form.Del("claim_token_format")
		switch {
		case a.Error == "request_submitted":
			if !n.is("the interval is not waited for") {
				if a.Interval > 60 && !n.is("a long interval overflows") {
					return errors.New("that is too long")
				}
				time.Sleep(time.Duration(a.Interval) * time.Second)
			}
		case n.claim && a.Claims && (!pushed || n.is("it goes on for ever")):
			pushed = true
			form.Set("claim_token", "claims-of-bob")
			if !n.is("the format of a claim token is forgotten") {
				form.Set("claim_token_format", idToken)
			}
		default:
			g := &gather{ticket: form.Get("ticket"), issuer: issuer, endpoint: a.RedirectUser}
			if static, ok := m["claims_interaction_endpoint"].(string); ok && (g.endpoint == "" || n.is("the static endpoint goes first")) {
				g.endpoint = static
			}
			return g
		}
	}
	return errors.New("enough")
}

func (n *naive) keep(u *url.URL, issuer, before string, a answer) error {
	if !strings.EqualFold(a.TokenType, "Bearer") && !n.is("the type of a token is not looked at") {
		return errors.New("an unknown type of token")
	}
	if a.PCT != "" {
		n.pcts[issuer] = a.PCT
	}
	for i, k := range n.kept {
		if k.rpt == before && a.Upgraded && !n.is("the old RPT is kept beside the upgraded one") {
			n.kept[i].rpt = a.RPT
		}
	}
	n.kept = append(n.kept, naiveToken{a.RPT, issuer, u.Host, u.Path})
	return nil
}

func (n *naive) ask(endpoint string, form url.Values) (a answer, err error) {
	if n.secret == "" || n.is("the client does not authenticate") {
		form.Set("client_id", clientID)
	}
	req, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if n.secret != "" && !n.is("the client does not authenticate") {
		req.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(n.secret))
	}
	res, err := n.http.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	var o struct {
		Ticket    string          `json:"ticket"`
		Error     string          `json:"error"`
		RPT       string          `json:"access_token"`
		TokenType string          `json:"token_type"`
		PCT       string          `json:"pct"`
		Redirect  string          `json:"redirect_user"`
		Interval  int             `json:"interval"`
		Upgraded  bool            `json:"upgraded"`
		Claims    json.RawMessage `json:"required_claims"`
	}
	if err := json.NewDecoder(res.Body).Decode(&o); err != nil {
		return a, err
	}
	return answer{o.Ticket, o.Error, o.RPT, o.PCT, o.TokenType, o.Redirect, o.Interval, o.Upgraded, len(bytes.TrimSpace(o.Claims)) > 0}, nil
}

// naiveWeb is the same as a web application.
type naiveWeb struct {
	options
	people map[string]*naiveSession
	states map[string]*naiveSession // where a browser is of no account
}

type naiveSession struct {
	client       *naive
	wanted       string
	state        string
	ticket, from string
}

func newNaiveWeb(o options) *naiveWeb {
	return &naiveWeb{options: o, people: map[string]*naiveSession{}, states: map[string]*naiveSession{}}
}

// ServeHTTP serves one person at a time: nobody hurries here.
func (a *naiveWeb) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := session(w, r)
	if a.broken == "all people are one" {
		id = "everybody"
	}
	s := a.people[id]
	if s == nil {
		s = &naiveSession{client: newNaive(a.options)}
		s.client.claim = false
		a.people[id] = s
	}
	switch r.URL.Path {
	case "/fetch":
		s.wanted = r.URL.Query().Get("url")
	case "/callback":
		q := r.URL.Query()
		at := s
		if a.broken == "a state is good in any browser" && a.states[q.Get("state")] != nil {
			at = a.states[q.Get("state")]
		}
		if err := a.back(at, q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s = at
	default:
		return
	}
	body, err := s.client.fetch(s.wanted)
	var g *gather
	if errors.As(err, &g) {
		http.Redirect(w, r, a.away(s, g), http.StatusSeeOther)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, body)
}

// away is where the person goes.
func (a *naiveWeb) away(s *naiveSession, g *gather) string {
	s.state, s.ticket, s.from = rand.Text(), g.ticket, g.issuer
	switch a.broken {
	case "the state is a constant":
		s.state = "the-state-of-the-printer-application"
	case "the state is short":
		s.state = s.state[:6]
	case "the state is the ticket":
		s.state = g.ticket
	case "there is no state":
		s.state = ""
	}
	a.states[s.state] = s
	u, err := url.Parse(g.endpoint)
	if err != nil || u.Hostname() != "127.0.0.1" && a.broken != "a person is sent over plain http" {
		return "/nowhere"
	}
	q := u.Query()
	if a.broken == "the endpoint's query is lost" {
		q = url.Values{}
	}
	q.Set("client_id", clientID)
	q.Set("ticket", g.ticket)
	q.Set("claims_redirect_uri", "http://"+a.listen+redirectURI)
	if a.broken == "the redirection URI is not the registered one" {
		q.Set("claims_redirect_uri", "http://"+a.listen+"/callback")
	}
	if s.state != "" {
		q.Set("state", s.state)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// back checks with what a person comes back, and goes on.
func (a *naiveWeb) back(s *naiveSession, q url.Values) error {
	compare := a.broken != "the state is not compared" && a.broken != "there is no state"
	if a.broken == "a missing state is not missed" && q.Get("state") == "" {
		compare = false
	}
	if compare && (q.Get("state") != s.state || s.state == "") {
		return errors.New("the state is wrong")
	}
	if a.broken != "a state is good for ever" {
		s.state = ""
	}
	if q.Get("iss") != s.from && a.broken != "iss is not compared" && (a.broken != "a missing iss is not missed" || q.Has("iss")) {
		return errors.New("another issuer")
	}
	if q.Get("ticket") == s.ticket && a.broken != "an unchanged ticket is taken" {
		return errors.New("the ticket is the same")
	}
	if q.Has("x_unknown") && a.broken == "unknown parameters are refused" {
		return errors.New("what is this?")
	}
	u, err := url.Parse(s.wanted)
	if err != nil {
		return err
	}
	return s.client.seek(u, s.from, q.Get("ticket"))
}
