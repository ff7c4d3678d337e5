package endpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/as"
)

// exchange is a request as it was sent, and its answer.
type exchange struct {
	method      string
	url         *url.URL
	status      int
	header      http.Header
	body        string
	requestBody string
	requestHead http.Header
}

func (e exchange) String() string { return e.method + " " + e.url.Path }

// head is the answer's header as one text.
func (e exchange) head() string {
	var b bytes.Buffer
	_ = e.header.Write(&b) // a buffer takes everything
	return b.String()
}

func (e exchange) isPage() bool {
	return strings.HasPrefix(e.header.Get("Content-Type"), "text/html")
}

// secret is something that lets somebody in, or names somebody.
type secret struct {
	kind  string
	value string
	given int // the exchange whose answer hands it out; -1: it came from outside
}

// wire listens to all that goes between a world and everybody else, and reads
// its log at the lowest level.
type wire struct {
	mu        sync.Mutex
	log       bytes.Buffer
	exchanges []exchange
	secrets   []secret
	under     http.RoundTripper
}

// Write takes what is logged.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

// logged is what was logged.
func (w *wire) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// RoundTrip notes an exchange, and every secret in it.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := []byte{}
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	answer, err := w.under.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges = append(w.exchanges, exchange{r.Method, r.URL, answer.StatusCode, answer.Header, string(body), string(sent), r.Header})
	w.harvest(len(w.exchanges) - 1)
	return answer, nil
}

// handedOut are the members, parameters and inputs in which secrets travel.
var handedOut = []string{"access_token", "refresh_token", "id_token", "ticket", "pct", "code", "request_uri", "registration_access_token", "client_secret"}

var sentAlong = []string{"client_secret", "client_assertion", "password", "code_verifier", "claim_token", "token", "rpt", "pct", "ticket", "code", "refresh_token", "id_token_hint", "logout_token"}

// harvest notes the secrets of an exchange. Those that a caller sends come from
// outside unless they were handed out before.
func (w *wire) harvest(i int) {
	e := w.exchanges[i]
	if form, err := url.ParseQuery(e.requestBody); err == nil && e.requestHead.Get("Content-Type") == formType {
		for _, name := range sentAlong {
			w.note(name, form.Get(name), -1)
		}
	}
	if user, password, ok := (&http.Request{Header: e.requestHead}).BasicAuth(); ok && user != "" {
		w.note("client_secret", password, -1)
	}
	w.note("DPoP proof", e.requestHead.Get("DPoP"), -1)
	if _, token, ok := strings.Cut(e.requestHead.Get("Authorization"), "Bearer "); ok {
		w.note("a bearer token", token, -1)
	}
	var members map[string]any
	if json.Unmarshal([]byte(e.body), &members) == nil {
		for _, name := range handedOut {
			if value, ok := members[name].(string); ok && name != "code" { // which in JSON is that of an error
				w.note(name, value, i)
			}
		}
	}
	if to, err := url.Parse(e.header.Get("Location")); err == nil {
		for _, name := range handedOut {
			w.note(name, to.Query().Get(name), i)
		}
	}
	for _, cookie := range (&http.Response{Header: e.header}).Cookies() {
		w.note("cookie "+cookie.Name, cookie.Value, i)
	}
}

// note adds a secret that is not known yet.
func (w *wire) note(kind, value string, given int) {
	if len(value) < 16 || slices.ContainsFunc(w.secrets, func(s secret) bool { return s.value == value }) {
		return
	}
	w.secrets = append(w.secrets, secret{kind, value, given})
}

// spellings are the forms in which a secret could be read somewhere: as it is,
// escaped, encoded, or the beginning of it.
func (s secret) spellings() []string {
	out := []string{
		s.value, url.QueryEscape(s.value), base64.StdEncoding.EncodeToString([]byte(s.value)), base64.RawURLEncoding.EncodeToString([]byte(s.value)), fmt.Sprintf("%x", s.value),
	}
	if strings.Count(s.value, ".") != 2 { // all JWTs begin alike, and what counts is the signature
		out = append(out, s.value[:len(s.value)*2/3])
	} else {
		out = append(out, s.value[strings.LastIndex(s.value, ".")+1:])
	}
	return out
}

func (s secret) in(text string) bool {
	return slices.ContainsFunc(s.spellings(), func(spelling string) bool { return strings.Contains(text, spelling) })
}

// travels are what an application puts into the address of a page, as it is meant to
// (RFC 9126 4, OpenID Connect RP-Initiated Logout 1.0, 2): they are good for that
// application alone, and sign nobody in.
var travels = map[string]map[string]bool{
	pathAuthorize:  {"request_uri": true},
	pathEndSession: {"id_token": true, "id_token_hint": true},
}

// leaks tells where secrets are that must not be there.
func (w *wire) leaks() (found []string) {
	log := w.logged()
	w.mu.Lock()
	defer w.mu.Unlock()
	leak := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, s := range w.secrets {
		if s.in(log) {
			leak("%s %s is in the log", s.kind, s.value)
		}
		for i, e := range w.exchanges {
			if i == s.given {
				continue
			}
			if travels[e.url.Path][s.kind] {
				continue
			}
			if s.in(e.body) {
				leak("%s %s is in the body of %s, %d", s.kind, s.value, e, e.status)
			}
			if s.in(e.head()) {
				leak("%s %s is in the header of %s, %d:\n%s", s.kind, s.value, e, e.status, e.head())
			}
			if e.isPage() && e.status < 400 && s.in(e.url.String()) {
				leak("%s %s is in the address of a page, %s", s.kind, s.value, e)
			}
		}
	}
	for i, e := range w.exchanges {
		browser := e.isPage() || e.header.Get("Location") != "" && e.status < 400 && e.status >= 300
		if browser && e.header.Get("Referrer-Policy") != "no-referrer" {
			leak("%s (%d) lets a browser tell where it was", e, i)
		}
		if e.body != "" && e.header.Get("Cache-Control") != "no-store" {
			leak("%s (%d) may be kept: Cache-Control %q", e, e.status, e.header.Get("Cache-Control"))
		}
	}
	return found
}

// newTappedWorld is a world whose wire and log are listened to.
func newTappedWorld(t testing.TB, options ...func(*as.Config)) (*world, *wire) {
	t.Helper()
	tap := &wire{}
	w := newWorld(t, append(options, func(c *as.Config) {
		c.Log = slog.New(slog.NewJSONHandler(tap, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	})...)
	tap.under = w.HTTP.Transport
	w.HTTP.Transport = tap
	return w, tap
}
