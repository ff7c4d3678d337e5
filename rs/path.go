package rs

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

var errPath = errors.New("the path of the request has more than one reading")

// canonical returns the request with the one spelling of its path that Route
// and the handler both see, or an error for a path that two programs could read
// differently. It refuses where others rewrite: a path that means something
// else to the router, the file system or the next proxy than to Route is how
// guards are walked around, and no honest client sends one.
func canonical(r *http.Request) (*http.Request, error) {
	if !canonicalPath(r.URL.Path) || !canonicalEscape(r.URL.EscapedPath()) {
		return nil, errPath
	}
	// A copy of everything that tells the path, spelled anew: %61 becomes a.
	u := url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery}
	out := r.WithContext(r.Context())
	out.URL, out.RequestURI = &u, u.RequestURI()
	return out, nil
}

// canonicalPath looks at the decoded path: it begins with a slash, and none of
// its segments is empty, means a directory, ends in a dot, or has a character
// that some reader takes for a separator or decodes once more.
func canonicalPath(path string) bool {
	if !strings.HasPrefix(path, "/") || !utf8.ValidString(path) || strings.ContainsAny(path, `\;`) {
		return false
	}
	for i, c := range []byte(path) {
		if c < 0x20 || c == 0x7f || c == '%' && isEscape(path[i:]) {
			return false
		}
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "" && i < len(segments)-1 || strings.HasSuffix(s, ".") {
			return false
		}
	}
	return true
}

// canonicalEscape looks at the path as it was sent: an encoded slash has
// vanished among the real ones in the decoded path.
func canonicalEscape(escaped string) bool {
	return !strings.Contains(strings.ToLower(escaped), "%2f")
}

func isEscape(s string) bool {
	return len(s) >= 3 && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
