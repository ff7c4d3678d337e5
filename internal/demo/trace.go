package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// party is who sends or gets a message.
type party string

const (
	partyBob    party = "Bob"
	partyApp    party = "Kin"
	partyClinic party = "Riverside Clinic"
	partyPhotos party = "Lumen Photos"
	partyLicet  party = "Licet"
	partyStart  party = "Start page"
)

// roles are what the specifications call each of them, in the order of the diagram.
var roles = []struct {
	party
	Role string
}{
	{partyBob, "requesting party"}, {partyApp, "client"}, {partyClinic, "resource server"}, {partyPhotos, "resource server"}, {partyLicet, "authorization server"},
}

// trace keeps the first and the newest messages between the parties, with their secrets
// hidden. Its methods may be called concurrently.
type trace struct {
	now func() time.Time

	mu    sync.Mutex
	names map[string]party // by host and port
	on    bool
	n     int // messages so far
	list  []message
	left  int // how many are left out after the first ones
}

// message is one line of the diagram: a request, an answer, or what a person did.
type message struct {
	N        int
	At       time.Time
	From, To party
	Answer   bool
	Label    string // short
	Says     string // in plain words
	Section  string // of the specifications
	Raw      string // as it went, with its secrets hidden
	Again    int    // how often what ends with this message came again
	Did      string // what a person did, in place of a message; "" for a message
	Left     int    // how many messages are left out here, in place of one; 0 for a message
}

// same says whether two messages differ in nothing but their secrets and times.
func (m message) same(o message) bool {
	return m.From == o.From && m.To == o.To && m.Answer == o.Answer && m.Label == o.Label && m.Did == o.Did
}

func newTrace(now func() time.Time) *trace { return &trace{now: now, names: map[string]party{}} }

// name says who answers at a host and port.
func (t *trace) name(host string, who party) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names[host] = who
}

func (t *trace) at(host string) party {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name, ok := t.names[host]; ok {
		return name
	}
	return partyLicet // at the host of a person
}

// begin forgets what was said, and keeps what is said from now on.
func (t *trace) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on, t.n, t.list, t.left = true, 0, nil, 0
}

// messages are those that are kept, oldest first, with what tells how many are left
// out, and a mark that changes when there are more.
func (t *trace) messages() ([]message, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.Clone(t.list)
	if t.left > 0 {
		list = slices.Insert(list, firstMessages, message{Left: t.left})
	}
	return list, strconv.Itoa(t.n)
}

// The most messages that are kept, how many of them are the first ones, and the longest
// group that is told from the same one before it: a poll is two, reading what is open
// and then what is not is ten.
const (
	maxMessages   = 120
	firstMessages = 40
	maxGroup      = 12
)

func (t *trace) add(m message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.on {
		return
	}
	t.n++
	m.N, m.At = t.n, t.now()
	t.list = append(t.list, m)
	newest := len(t.list) // since something was left out
	if t.left > 0 {
		newest -= firstMessages
	}
	for size := 1; size <= maxGroup && 2*size <= newest; size++ {
		before, after := t.list[len(t.list)-2*size:len(t.list)-size], t.list[len(t.list)-size:]
		if after[size-1].Answer && slices.EqualFunc(before, after, message.same) {
			before[size-1].Again++
			t.list = t.list[:len(t.list)-size]
			t.n -= size
			break
		}
	}
	if len(t.list) > maxMessages {
		t.list = slices.Delete(t.list, firstMessages, firstMessages+1)
		t.left++
	}
}

// did tells what a person did meanwhile.
func (t *trace) did(what string) { t.add(message{Did: what}) }

// as returns a RoundTripper for what one party sends.
func (t *trace) as(who party, base http.RoundTripper) http.RoundTripper { return &traced{t, who, base} }

type traced struct {
	*trace
	who  party
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper. A request is told of when it is sent and an
// answer when it comes, so that what happens in between stands in between.
func (t *traced) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := peek(&req.Body)
	if err != nil {
		return nil, err
	}
	to := t.at(req.URL.Host)
	t.add(requestMessage(t.who, to, req, body))
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	answer, err := peek(&resp.Body)
	if err != nil {
		return nil, err
	}
	t.add(answerMessage(to, t.who, req, resp.StatusCode, resp.Header, answer))
	return resp, nil
}

// peek reads a body and puts it back.
func peek(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	all, err := io.ReadAll(*body)
	if err != nil {
		return nil, err
	}
	if err := (*body).Close(); err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(all))
	return all, nil
}

// browsing tells what Bob's browser sends, where it carries something between the
// parties: there is no RoundTripper of ours in it.
func (t *trace) browsing(next http.Handler, tells func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !tells(r) {
			next.ServeHTTP(w, r)
			return
		}
		to := t.at(r.Host)
		var body []byte
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
			var err error
			if body, err = peek(&r.Body); err != nil {
				http.Error(w, "this is too long", http.StatusRequestEntityTooLarge)
				return
			}
		}
		t.add(requestMessage(partyBob, to, r, body))
		kept := &keptStatus{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(kept, r)
		t.add(answerMessage(to, partyBob, r, kept.status, w.Header(), nil))
	})
}

// keptStatus remembers the status of an answer.
type keptStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (k *keptStatus) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (k *keptStatus) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func requestMessage(from, to party, r *http.Request, body []byte) message {
	m := message{From: from, To: to, Label: r.Method + " " + shortPath(r.URL)}
	m.Section, m.Says = aboutRequest(from, to, r)
	m.Raw = rawRequest(r, body)
	return m
}

func answerMessage(from, to party, r *http.Request, status int, h http.Header, body []byte) message {
	m := message{From: from, To: to, Answer: true, Label: fmt.Sprint(status)}
	var what string
	m.Section, m.Says, what = aboutAnswer(from, to, r, status, h, body)
	m.Label = strings.TrimSpace(m.Label + " " + what)
	m.Raw = rawAnswer(status, h, body)
	return m
}

// shortPath is a path that fits over an arrow from one column to the next.
func shortPath(u *url.URL) string {
	path := strings.TrimPrefix(u.Path, "/.well-known")
	if of := u.Query().Get("of"); of != "" {
		path += "?of=" + of
	}
	const most = 22
	if len(path) > most {
		path = path[:most-1] + "…"
	}
	return path
}
