package wire

import (
	"net/http"
	"strings"
)

// Challenge is one challenge of a WWW-Authenticate header (RFC 9110 11.6.1).
type Challenge struct {
	Scheme     string // as it was spelled
	Parameters map[string]string
	Twice      string // a parameter that is there twice
}

// UMA finds the challenges with the scheme UMA (Grant 3.2.1).
func UMA(h http.Header) []Challenge {
	var out []Challenge
	for _, c := range Challenges(h) {
		if strings.EqualFold(c.Scheme, "UMA") {
			out = append(out, c)
		}
	}
	return out
}

// Challenges reads all challenges of an answer. What cannot be read ends the
// reading of that header.
func Challenges(h http.Header) []Challenge {
	var out []Challenge
	for _, value := range h.Values("WWW-Authenticate") {
		rest := strings.TrimLeft(value, " \t,")
		for rest != "" {
			word, after := token(rest)
			if word == "" {
				break
			}
			if strings.HasPrefix(strings.TrimLeft(after, " \t"), "=") && len(out) > 0 {
				name, text, end, ok := parameter(rest)
				if !ok {
					break
				}
				c := &out[len(out)-1]
				name = strings.ToLower(name)
				if _, there := c.Parameters[name]; there {
					c.Twice = name
				}
				c.Parameters[name] = text
				rest = strings.TrimLeft(end, " \t,")
				continue
			}
			out = append(out, Challenge{Scheme: word, Parameters: map[string]string{}})
			rest = strings.TrimLeft(after, " \t,")
		}
	}
	return out
}

// token takes an RFC 9110 token off the front.
func token(s string) (word, rest string) {
	end := strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// parameter takes name=value off the front, where the value is a token or a
// quoted string.
func parameter(s string) (name, value, rest string, ok bool) {
	name, rest = token(s)
	rest = strings.TrimLeft(rest, " \t")
	rest, ok = strings.CutPrefix(rest, "=")
	rest = strings.TrimLeft(rest, " \t")
	if !ok || name == "" || rest == "" {
		return "", "", "", false
	}
	if rest[0] != '"' {
		end := strings.IndexAny(rest, ", \t")
		if end < 0 {
			return name, rest, "", true
		}
		return name, rest[:end], rest[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, b.String(), rest[i+1:], true
		case c == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", false
}
