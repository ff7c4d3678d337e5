package oauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/uma"
)

const maxRedirectURI = 2048 // bytes

var (
	errRedirectMissing = uma.NewError(uma.InvalidRequest, "The redirect URI is missing, and the client has not exactly one registered.")
	errRedirectUnknown = uma.NewError(uma.InvalidRequest, "The redirect URI is not registered for the client.")
)

// RedirectURI returns the URI to send a browser back to, given the redirect_uri
// parameter of an authorization request ("" when it was omitted). The error is
// a [*uma.Error], and means that the browser must not be sent anywhere.
//
// A URI is registered when it is equal byte for byte (RFC 6749 3.1.2.3, RFC
// 9700 4.1.3): every looser comparison has led tokens to strangers. The one
// exception is the port of a public client's http://127.0.0.1 or http://[::1],
// which the operating system chooses when the application starts (RFC 8252
// 7.3).
func (c Client) RedirectURI(requested string) (string, error) {
	uri, err := registered(c.RedirectURIs, requested)
	if err != nil && c.Public() && c.hasLoopback(requested) {
		return requested, nil
	}
	return uri, err
}

// hasLoopback reports whether a registered URI differs from the requested one
// in nothing but the port on a loopback IP.
func (c Client) hasLoopback(requested string) bool {
	want, ok := withoutLoopbackPort(requested)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(uri string) bool {
		have, ok := withoutLoopbackPort(uri)
		return ok && have == want
	})
}

// ClaimsRedirectURI does the same for the claims_redirect_uri parameter of the
// claims interaction endpoint (Grant 3.3.2). It never looks at the URIs that
// are registered for authorization codes, and it knows no exception.
func (c Client) ClaimsRedirectURI(requested string) (string, error) {
	if seeded.ClaimsRedirectNotExact && slices.ContainsFunc(c.ClaimsRedirectURIs, func(uri string) bool { return strings.HasPrefix(requested, uri) }) {
		return requested, nil
	}
	return registered(c.ClaimsRedirectURIs, requested)
}

func registered(uris []string, requested string) (string, error) {
	switch {
	case requested == "" && len(uris) == 1:
		return uris[0], nil
	case requested == "":
		return "", errRedirectMissing
	case slices.Contains(uris, requested):
		return requested, nil
	}
	return "", errRedirectUnknown.Because(fmt.Errorf("redirect URI %q", requested))
}

// withoutLoopbackPort cuts the port out of an http URI on a loopback IP. It
// reads the text and does not parse it as a URI, so that there is no parser a
// browser could disagree with: what follows the digits must be the registered
// rest, and so can be no "@" and no other host.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, found := strings.CutPrefix(uri, origin)
		if !found {
			continue
		}
		if port, hasPort := strings.CutPrefix(rest, ":"); hasPort {
			rest = strings.TrimLeft(port, "0123456789")
			if !isPort(port[:len(port)-len(rest)]) {
				return "", false
			}
		}
		return origin + rest, true
	}
	return "", false
}

// AddQuery returns uri with parameters added to its query. What is there
// already stays as it is, byte for byte (RFC 6749 3.1.2, Grant 3.3.2). The URI
// has no fragment: [Client.Validate] lets none in.
func AddQuery(uri string, params [][2]string) string {
	var b strings.Builder
	b.WriteString(uri)
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			sep = ""
		}
	}
	for _, p := range params {
		b.WriteString(sep + url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1]))
		sep = "&"
	}
	return b.String()
}

// checkRedirectURI says what keeps a URI from being registered. The characters
// it refuses are those on which browsers and parsers disagree, and "*", which
// would look like a wildcard and be none.
func checkRedirectURI(uri string) error {
	switch {
	case uri == "" || len(uri) > maxRedirectURI:
		return fmt.Errorf("a URI has 1 to %d bytes, not %d", maxRedirectURI, len(uri))
	case !isVisibleASCII(uri) || strings.ContainsAny(uri, "\\\"<>^`{|}*"):
		return fmt.Errorf("%q has a character that is not allowed", uri)
	case strings.Contains(uri, "#"):
		return fmt.Errorf("%q has a fragment", uri)
	}
	u, err := url.Parse(uri)
	if err != nil {
		return err
	}
	scheme, rest, _ := strings.Cut(uri, ":")
	switch {
	case u.Scheme == "" || u.Scheme != scheme:
		return fmt.Errorf("%q does not begin with a scheme in lower case", uri)
	case badEscape(uri):
		return fmt.Errorf("%q has a broken percent-encoding", uri)
	}
	switch host, err := authority(rest); {
	case err != nil:
		return fmt.Errorf("%q: %w", uri, err)
	case scheme == "https":
		if host == "" {
			return fmt.Errorf("%q has no host", uri)
		}
	case scheme == "http":
		if !isLoopbackHost(host) {
			return fmt.Errorf("%q is http, and not on this machine's loopback address", uri)
		}
	case strings.Contains(scheme, "."): // RFC 8252 7.1: the reversed name of a domain
		if !strings.HasPrefix(rest, "/") {
			return fmt.Errorf("%q has no path", uri)
		}
	default: // javascript, data, file, blob, about …
		return fmt.Errorf("the scheme of %q is not allowed", uri)
	}
	return nil
}

// authority reads the host and port that follow the scheme, by a grammar that
// is so narrow that no two parsers read it differently: no user, no
// percent-encoding, no empty port. The host is "" where there is none.
func authority(rest string) (host string, err error) {
	rest, found := strings.CutPrefix(rest, "//")
	if !found {
		return "", nil
	}
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	host, port := rest, ""
	colon := strings.LastIndexByte(rest, ':')
	if colon > strings.LastIndexByte(rest, ']') {
		host, port = rest[:colon], rest[colon+1:]
		if !isPort(port) {
			return "", errors.New("the port is not a number from 1 to 65535")
		}
	}
	if literal, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(literal, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" || !strings.HasSuffix(literal, "]") {
			return "", errors.New("the host is not an IPv6 address")
		}
		return host, nil
	}
	notInHost := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.')
	}
	if host == "" || containsRune(host, notInHost) {
		return "", errors.New("the host is not a plain name or address")
	}
	return host, nil
}

func isLoopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback() && !ip.Is4In6()
}

// isPort reports whether s is a port without leading zeros.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

func badEscape(uri string) bool {
	_, err := url.PathUnescape(uri)
	return err != nil
}
