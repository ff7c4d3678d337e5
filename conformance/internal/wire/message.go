package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Message is one request with its answer.
type Message struct {
	From, To string // as "API" and "authorization server"
	Method   string
	Target   string // as it was in the request line
	Host     string
	Header   http.Header
	Body     string

	Came, Left time.Time // when the request was there and when its answer was ready

	Status     int // 0: the connection was closed without an answer
	Answer     http.Header
	AnswerBody string
}

// Path is the path of the target, without its query.
func (m Message) Path() string {
	path, _, _ := strings.Cut(m.Target, "?")
	return path
}

// Query are the parameters of the target; broken ones are left out.
func (m Message) Query() url.Values {
	_, query, _ := strings.Cut(m.Target, "?")
	values, _ := url.ParseQuery(query) //nolint:errcheck // what can be read is enough here
	return values
}

// Form are the parameters of a form in the body. ok is false when it is none.
func (m Message) Form() (url.Values, bool) {
	kind, _, _ := strings.Cut(m.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, false
	}
	values, err := url.ParseQuery(m.Body)
	return values, err == nil
}

// Bearer is the token of the Authorization header, empty where there is none.
func (m Message) Bearer() string {
	scheme, token, _ := strings.Cut(m.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Asks says whether the request has a text in it anywhere: target, headers or
// body, also percent-encoded.
func (m Message) Asks(secret string) bool {
	return contains(m.Target, secret) || containsHeader(m.Header, secret) || contains(m.Body, secret)
}

// Tells says whether the answer has a text in it anywhere.
func (m Message) Tells(secret string) bool {
	return containsHeader(m.Answer, secret) || contains(m.AnswerBody, secret)
}

func contains(text, secret string) bool {
	return secret != "" && (strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)))
}

func containsHeader(h http.Header, secret string) bool {
	for _, values := range h {
		if slices.ContainsFunc(values, func(v string) bool { return contains(v, secret) }) {
			return true
		}
	}
	return false
}

// longest is how much of a body is printed.
const longest = 2000

// String prints both halves of the message for a report.
func (m Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s → %s\n%s %s\nHost: %s\n", m.From, m.To, m.Method, m.Target, m.Host)
	printRest(&b, m.Header, m.Body)
	if m.Status == 0 {
		b.WriteString("(no answer)\n")
		return b.String()
	}
	fmt.Fprintf(&b, "%d %s\n", m.Status, http.StatusText(m.Status))
	printRest(&b, m.Answer, m.AnswerBody)
	return b.String()
}

func printRest(b *strings.Builder, h http.Header, body string) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			fmt.Fprintf(b, "%s: %s\n", name, value)
		}
	}
	if body != "" {
		if len(body) > longest {
			body = body[:longest] + " …"
		}
		fmt.Fprintf(b, "\n%s\n", body)
	}
	b.WriteByte('\n')
}

// Log is every message, in the order in which the answers were ready. It may be
// used by any number of goroutines.
type Log struct {
	mu       sync.Mutex
	messages []Message
}

// Add writes a message down.
func (l *Log) Add(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, m)
}

// Mark is a place in the log: what comes later is Since it.
func (l *Log) Mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.messages)
}

// Since returns the messages after a mark that are to a party at a path; either
// may be empty for any.
func (l *Log) Since(mark int, to, path string) []Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Message
	for _, m := range l.messages[mark:] {
		if (to == "" || m.To == to) && (path == "" || m.Path() == path) {
			out = append(out, m)
		}
	}
	return out
}
