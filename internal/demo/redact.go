package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/licet/licet/uma"
)

// How a message is shown: what it carries for everybody to read, and of each secret
// only so much that one can see where the same one turns up again.

// secretNames are the parameters and members that are hidden.
var secretNames = []string{
	"ticket", "access_token", "refresh_token", "token", "rpt", "pct", "claim_token", "code", "code_verifier", "code_challenge", "state",
	"password", "csrf", "client_secret", "id_token", "handle",
}

func hidden(secret string) string { return "[hidden " + uma.Fingerprint(secret) + "]" }

func rawRequest(r *http.Request, body []byte) string {
	var b strings.Builder
	target := r.URL.EscapedPath()
	if q := form(r.URL.Query(), "&"); q != "" {
		target += "?" + q
	}
	host := r.URL.Host
	if host == "" {
		host = r.Host
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\nHost: %s\n", r.Method, target, host)
	if scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		fmt.Fprintf(&b, "Authorization: %s %s\n", scheme, hidden(secret))
	}
	writeBody(&b, r.Header.Get("Content-Type"), body)
	return b.String()
}

var quotedTicket = regexp.MustCompile(`ticket="([^"]*)"`)

func rawAnswer(status int, h http.Header, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\n", status, http.StatusText(status))
	for _, v := range h.Values("WWW-Authenticate") {
		v = quotedTicket.ReplaceAllStringFunc(v, func(s string) string {
			return `ticket="` + hidden(quotedTicket.FindStringSubmatch(s)[1]) + `"`
		})
		fmt.Fprintf(&b, "WWW-Authenticate: %s\n", v)
	}
	if v := h.Get("Warning"); v != "" {
		fmt.Fprintf(&b, "Warning: %s\n", v)
	}
	if to, err := url.Parse(h.Get("Location")); err == nil && to.String() != "" {
		query := form(to.Query(), "&")
		to.RawQuery = ""
		if query != "" {
			query = "?" + query
		}
		fmt.Fprintf(&b, "Location: %s%s\n", to, query)
	}
	writeBody(&b, h.Get("Content-Type"), body)
	return b.String()
}

// form writes parameters with the secret ones hidden.
func form(values url.Values, between string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			if slices.Contains(secretNames, name) {
				v = hidden(v)
			}
			out = append(out, name+"="+v)
		}
	}
	return strings.Join(out, between)
}

// maxShown is how much of a body is shown.
const maxShown = 2500

func writeBody(b *strings.Builder, contentType string, body []byte) {
	if len(body) == 0 {
		return
	}
	fmt.Fprintf(b, "Content-Type: %s\n\n", contentType)
	text := ""
	switch {
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		values, err := url.ParseQuery(string(body))
		if err != nil {
			text = "(a form that cannot be read)"
			break
		}
		text = form(values, "\n")
	case strings.Contains(contentType, "json"):
		text = jsonText(body)
	default:
		text = fmt.Sprintf("(%d bytes)", len(body))
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "\n…"
	}
	b.WriteString(text)
}

func jsonText(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "(JSON that cannot be read)"
	}
	out, err := json.MarshalIndent(redacted("", v), "", "  ")
	if err != nil {
		return "(JSON that cannot be read)"
	}
	return string(out)
}

func redacted(name string, v any) any {
	switch v := v.(type) {
	case string:
		if slices.Contains(secretNames, name) {
			return hidden(v)
		}
	case map[string]any:
		for key, one := range v {
			v[key] = redacted(key, one)
		}
	case []any:
		for i, one := range v {
			v[i] = redacted(name, one)
		}
	}
	return v
}
