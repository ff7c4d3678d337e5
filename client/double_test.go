package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// stage is an authorization server and a resource server that speak with their
// own bytes. The resource server lets the RPTs of good through; the token
// endpoint gives the answers of script, one after the other. Members that nobody
// knows are in every answer.
type stage struct {
	t      *testing.T
	as, rs *httptest.Server

	mu       sync.Mutex
	metadata string            // members of the discovery document besides issuer and token_endpoint
	script   []answer          // of the token endpoint
	good     map[string]string // "METHOD path" → RPT that permits it
	// challenge writes the WWW-Authenticate headers; nil is the plain one.
	challenge func(h http.Header, ticket string) int
	tickets   int

	forms   []url.Values // at the token and revocation endpoints
	auths   []string     // Authorization headers there
	calls   []string     // at the resource server: "METHOD path RPT"
	waits   []time.Duration
	seconds int64
}

// answer is one answer of the token endpoint. A %d in the body becomes a new
// number.
type answer struct {
	status int
	body   string
}

func rpt(value string, more ...string) answer {
	return answer{200, `{"access_token":"` + value + `","token_type":"Bearer","x_unknown":{"a":[1]}` + strings.Join(more, "") + `}`}
}

func needInfo(more ...string) answer {
	return answer{403, `{"error":"need_info","ticket":"as-%d","x_unknown":1` + strings.Join(more, "") + `}`}
}

func submitted(more ...string) answer {
	return answer{403, `{"error":"request_submitted","ticket":"as-%d","x_unknown":1` + strings.Join(more, "") + `}`}
}

func refused(code string) answer {
	return answer{400, `{"error":"` + code + `","error_description":"Because.","x_unknown":null}`}
}

const wantEmail = `,"required_claims":[{"name":"email","friendly_name":"E-mail","claim_token_format":["jwt"],"x_unknown":1}]`

func newStage(t *testing.T, script ...answer) *stage {
	s := &stage{t: t, script: script, good: map[string]string{}, seconds: 1_700_000_000}
	s.as, s.rs = httptest.NewServer(http.HandlerFunc(s.serveAS)), httptest.NewServer(http.HandlerFunc(s.serveRS))
	t.Cleanup(s.as.Close)
	t.Cleanup(s.rs.Close)
	return s
}

func (s *stage) serveAS(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/uma2-configuration":
		fmt.Fprintf(w, `{"issuer":"%[1]s","token_endpoint":"%[1]s/token","revocation_endpoint":"%[1]s/revoke","x_unknown":{}%[2]s}`, s.as.URL, s.metadata)
	case "/token", "/revoke":
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != "POST" {
			s.t.Errorf("the token request was %s %q", r.Method, body)
		}
		s.forms = append(s.forms, form)
		s.auths = append(s.auths, r.Header.Get("Authorization"))
		if len(s.script) == 0 {
			w.WriteHeader(500)
			return
		}
		next := s.script[0]
		s.script = s.script[1:]
		if strings.Contains(next.body, "%d") {
			s.tickets++
			next.body = strings.Replace(next.body, "%d", fmt.Sprint(s.tickets), 1)
		}
		if next.status/100 == 3 {
			w.Header().Set("Location", next.body)
		}
		w.WriteHeader(next.status)
		io.WriteString(w, next.body)
	default:
		w.WriteHeader(404)
	}
}

func (s *stage) serveRS(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	use := r.Method + " " + r.URL.Path
	s.calls = append(s.calls, strings.TrimSpace(use+" "+shown))
	if want, ok := s.good[use]; ok && shown == want {
		io.WriteString(w, "photos "+string(body))
		return
	}
	s.tickets++
	ticket, status := fmt.Sprintf("rs-%d", s.tickets), 401
	if s.challenge != nil {
		status = s.challenge(w.Header(), ticket)
	} else {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`UMA realm="photos", as_uri=%q, ticket=%q`, s.as.URL, ticket))
	}
	w.WriteHeader(status)
	io.WriteString(w, "no")
}

// transport makes a Transport whose clock goes only when it waits.
func (s *stage) transport(change ...func(*Config)) *Transport {
	s.t.Helper()
	c := Config{
		ClientID: "printer",
		Now: func() time.Time {
			s.mu.Lock()
			defer s.mu.Unlock()
			return time.Unix(s.seconds, 0)
		},
		Wait: func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waits = append(s.waits, d)
			s.seconds += int64(d / time.Second)
			return ctx.Err()
		},
	}
	for _, f := range change {
		f(&c)
	}
	t, err := New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

// do sends one request through a transport and returns the body, or "status" if
// it is no success.
func (s *stage) do(t *Transport, ctx context.Context, method, path string) (string, error) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.rs.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode != 200 {
		return res.Status, nil
	}
	return string(body), nil
}

// gets expects that GET of a path works.
func (s *stage) gets(t *Transport, ctx context.Context, path string) {
	s.t.Helper()
	if body, err := s.do(t, ctx, "GET", path); err != nil || body != "photos " {
		s.t.Fatalf("GET %s: %q, %v", path, body, err)
	}
}

// fails expects an error of a type.
func fails[E error](t *testing.T, err error) E {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Fatalf("the error is %v and no %T", err, want)
	}
	return want
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v and not %v", err, want)
	}
}

// column is one parameter of all token requests.
func (s *stage) column(name string) string {
	var out []string
	for _, f := range s.forms {
		out = append(out, strings.Join(f[name], "+"))
	}
	return strings.Join(out, " ")
}
