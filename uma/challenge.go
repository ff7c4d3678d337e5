package uma

import "strings"

// Challenge is the UMA challenge of a resource server's WWW-Authenticate header
// (Grant 3.2.1).
type Challenge struct {
	Realm  string // optional
	ASURI  string // the authorization server's issuer
	Ticket Ticket
}

// schemeUMA is the name of the HTTP authentication scheme, and maxHeader the
// most bytes of a header in which it is looked for.
const (
	schemeUMA = "UMA"
	maxHeader = 32 << 10
)

// String is the value for a WWW-Authenticate header. It has the ticket in it, so
// it is nothing for a log; LogValue is.
func (c Challenge) String() string {
	var parts []string
	if c.Realm != "" {
		parts = append(parts, "realm="+quote(c.Realm))
	}
	parts = append(parts, "as_uri="+quote(c.ASURI), "ticket="+quote(string(c.Ticket)))
	return schemeUMA + " " + strings.Join(parts, ", ")
}

// quote writes a quoted-string of RFC 9110 5.6.4. What cannot stand in a header
// at all is left out.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		if c < 0x20 || c == 0x7f {
			continue
		}
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	b.WriteByte('"')
	return b.String()
}

// ParseChallenge finds the UMA challenge among the values of the
// WWW-Authenticate headers of an answer. It is lenient, because resource
// servers are: several challenges in one header, parameters in any order,
// quoted or not, names in any case, additional parameters, and an as_uri that
// is the discovery document's URL (AMB-02, AMB-03). A challenge without as_uri
// or ticket is none.
func ParseChallenge(values []string) (Challenge, bool) {
	for _, value := range values {
		if len(value) > maxHeader {
			continue
		}
		for _, found := range scanChallenges(value) {
			if !strings.EqualFold(found.scheme, schemeUMA) {
				continue
			}
			c := Challenge{
				Realm:  found.params["realm"],
				ASURI:  strings.TrimSuffix(found.params["as_uri"], wellKnownUMA),
				Ticket: Ticket(found.params["ticket"]),
			}
			if c.ASURI != "" && c.Ticket != "" {
				return c, true
			}
		}
	}
	return Challenge{}, false
}

type scanned struct {
	scheme string
	params map[string]string // names in lower case; the first of a name counts
}

// scanChallenges splits a header value. A word followed by "=" is a parameter of
// the challenge before it; any other word begins a challenge.
func scanChallenges(s string) []scanned {
	var out []scanned
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return out
		}
		word, rest := scanWord(s)
		if word == "" {
			return out // not a header that anybody can read on
		}
		s = strings.TrimLeft(rest, " \t")
		if after, isParam := strings.CutPrefix(s, "="); isParam && len(out) > 0 {
			var value string
			value, s = scanValue(strings.TrimLeft(after, " \t"))
			params := out[len(out)-1].params
			if name := strings.ToLower(word); params[name] == "" {
				params[name] = value
			}
			continue
		}
		out = append(out, scanned{scheme: word, params: map[string]string{}})
	}
}

// scanWord reads up to a space, a comma or an equals sign.
func scanWord(s string) (word, rest string) {
	end := strings.IndexAny(s, " \t,=")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// scanValue reads a quoted string, or all up to a space or comma: an unquoted
// URL may have an equals sign.
func scanValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,")
		if end < 0 {
			return s, ""
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i+1 < len(s) {
				i++
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
