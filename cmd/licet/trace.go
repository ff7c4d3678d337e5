package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/uma"
)

// trace prints every message between the parties of a demonstration as a line of
// a sequence diagram. Secrets are printed as fingerprints, so that one can see
// where the same one turns up again.
type trace struct {
	mu    sync.Mutex
	out   io.Writer
	names map[string]string // host to party
	count map[string]int    // messages by "status code-or-error", for the script to check
}

func newTrace(out io.Writer) *trace {
	return &trace{out: out, names: map[string]string{}, count: map[string]int{}}
}

// name says who answers at a host.
func (t *trace) name(host, party string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names[host] = party
}

// heading prints what happens next, in plain words.
func (t *trace) heading(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "\n%s\n\n", fmt.Sprintf(format, args...))
}

// as returns a RoundTripper for what one party sends.
func (t *trace) as(party string) http.RoundTripper {
	return &traced{trace: t, party: party, base: &http.Transport{DisableCompression: true}}
}

type traced struct {
	*trace
	party string
	base  http.RoundTripper
}

// maxTraced is how much of a body is looked at.
const maxTraced = 64 << 10

// RoundTrip implements http.RoundTripper. A request is printed when it is sent
// and an answer when it comes, so that what happens in between stands in between.
func (t *traced) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := peek(&req.Body)
	if err != nil {
		return nil, err
	}
	m := message{from: t.party, to: t.partyAt(req.URL.Host), method: req.Method, path: req.URL.Path, section: sectionOfRequest(req)}
	m.fields = append(fieldsOf(req.URL.Query()), append(authorization(req.Header), bodyFields(req.Header.Get("Content-Type"), body)...)...)
	t.print(m)
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if body, err = peek(&resp.Body); err != nil {
		return nil, err
	}
	fields := append(headerFields(resp.Header), bodyFields(resp.Header.Get("Content-Type"), body)...)
	t.print(message{from: m.to, to: m.from, status: resp.StatusCode, fields: fields, section: sectionOfAnswer(req, resp, body)})
	return resp, nil
}

func (t *traced) partyAt(host string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name, ok := t.names[host]; ok {
		return name
	}
	return host
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
	return all[:min(len(all), maxTraced)], nil
}

// message is one line of the diagram: a request, or an answer with a status.
type message struct {
	from, to     string
	method, path string
	status       int
	fields       []string
	section      string
}

func (t *trace) print(m message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	what := m.method + " " + m.path
	if m.status != 0 {
		what = fmt.Sprintf("%d %s", m.status, http.StatusText(m.status))
		t.count[fmt.Sprint(m.status)]++
	}
	for _, f := range m.fields {
		if code, ok := strings.CutPrefix(f, "error="); ok {
			t.count[code]++
		}
	}
	fmt.Fprintln(t.out, strings.TrimRight(fmt.Sprintf("  %-11s -> %-11s  %-44s  %s", m.from, m.to, shortIDs(what), m.section), " "))
	const indent, width = 30, 100 // as far as the column of methods and statuses
	line := ""
	flush := func() {
		if line != "" {
			fmt.Fprintf(t.out, "%*s%s\n", indent, "", line)
		}
		line = ""
	}
	for _, f := range m.fields {
		if line != "" && len(line)+len(f) > width {
			flush()
		}
		if line != "" {
			line += "  "
		}
		line += f
	}
	flush()
}

// secretNames are parameters and members that are printed as fingerprints.
var secretNames = []string{
	"ticket", "access_token", "refresh_token", "token", "rpt", "pct", "claim_token", "code", "code_verifier", "state",
	"password", "csrf", "client_secret", "id_token",
}

// field prints one parameter, shortened where the value is long.
func field(name, value string) string {
	switch {
	case slices.Contains(secretNames, name):
		value = uma.Fingerprint(value)
	case value == uma.GrantType:
		value = "uma-ticket"
	}
	if value = shortIDs(value); len(value) > 90 {
		value = value[:87] + "..."
	}
	return name + "=" + value
}

// longID is an id as the server makes them; its end tells two apart.
var longID = regexp.MustCompile(`[0-9a-v]{30}([0-9a-v]{6})`)

func shortIDs(s string) string { return longID.ReplaceAllString(s, "~$1") }

// unsaid are members that tell a reader of the diagram nothing new.
var unsaid = []string{"error_description", "detail", "title", "type", "status", "token_type", "iss"}

func fieldsOf(values url.Values) []string {
	var out []string
	for name, list := range values {
		for _, v := range list {
			out = append(out, field(name, v))
		}
	}
	slices.Sort(out)
	return out
}

func bodyFields(contentType string, body []byte) []string {
	switch {
	case len(body) == 0:
		return nil
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return []string{"(a form that cannot be read)"}
		}
		return fieldsOf(values)
	case strings.Contains(contentType, "json"):
		return jsonFields(body)
	case strings.HasPrefix(contentType, "image/"):
		return []string{"a picture"}
	case strings.HasPrefix(contentType, "text/html"):
		return []string{"a page"}
	default:
		return nil
	}
}

func jsonFields(body []byte) []string {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		var list []any
		if json.Unmarshal(body, &list) == nil {
			return []string{fmt.Sprintf("a list of %d", len(list))}
		}
		return nil
	}
	if _, ok := members["token_endpoint"]; ok {
		return []string{"issuer=" + fmt.Sprint(members["issuer"]), "and where everything is"}
	}
	var out []string
	for name, v := range members {
		if slices.Contains(unsaid, name) {
			continue
		}
		switch v := v.(type) {
		case string:
			out = append(out, field(name, v))
		case float64:
			out = append(out, fmt.Sprintf("%s=%.0f", name, v))
		case bool:
			out = append(out, fmt.Sprintf("%s=%t", name, v))
		default:
			raw, err := json.Marshal(v)
			if err == nil {
				out = append(out, field(name, string(raw)))
			}
		}
	}
	slices.Sort(out)
	return out
}

func authorization(h http.Header) []string {
	scheme, secret, found := strings.Cut(h.Get("Authorization"), " ")
	if !found {
		return nil
	}
	return []string{"Authorization: " + scheme + " " + uma.Fingerprint(secret)}
}

func headerFields(h http.Header) []string {
	var out []string
	if c, ok := uma.ParseChallenge(h.Values("WWW-Authenticate")); ok {
		out = append(out, "WWW-Authenticate: UMA", "as_uri="+c.ASURI, "ticket="+c.Ticket.String())
	}
	if w := h.Get("Warning"); w != "" {
		out = append(out, "Warning: "+w)
	}
	if location := h.Get("Location"); location != "" {
		u, err := url.Parse(location)
		if err == nil {
			out = append(out, "to="+u.Host+shortIDs(u.Path))
			out = append(out, fieldsOf(u.Query())...)
		}
	}
	return out
}
