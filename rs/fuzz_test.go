package rs

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// Whatever path is let in, it has one reading: nobody who cleans it, decodes it
// once more or cuts it at a separator comes to another one, and it is the same when
// it is sent on.
//
// Proves SEC-057.
func FuzzCanonicalPath(f *testing.F) {
	for _, target := range []string{
		"/", "/alice/album", "/alice/album/", "/%61lice/album", "//alice", "/a/../b", "/a/..;/b", "/a%2fb", "/a%2Fb", "/a%252fb", `/a\b`, "/a%5cb", "/a%00", "/a.",
		"/a;x=y", "/caf%C3%A9/", "/100%25", "/a%ff", "*", "http://elsewhere/alice/album", "/a?b=/../c", "/a%", "/.well-known/x", "/a%3fb", "/a%23b",
	} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // no server would see this path
		}
		out, err := canonical(&http.Request{Method: http.MethodGet, URL: u, RequestURI: target})
		if err != nil {
			return
		}
		p := out.URL.Path
		if clean := path.Clean(p); clean != p && clean+"/" != p {
			t.Errorf("%q is let in as %q, which is cleaned to %q", target, p, clean)
		}
		if again, err := url.PathUnescape(p); err == nil && again != p {
			t.Errorf("%q is let in as %q, which is decoded to %q", target, p, again)
		}
		if strings.ContainsAny(p, "\\;\x00\r\n") {
			t.Errorf("%q is let in as %q", target, p)
		}
		sent, err := url.ParseRequestURI(out.RequestURI)
		if err != nil || sent.Path != p || sent.RawQuery != u.RawQuery {
			t.Errorf("%q is let in as %q, and sent on as %q: %v", target, p, out.RequestURI, err)
		}
		twice, err := canonical(out)
		if err != nil || twice.URL.Path != p {
			t.Errorf("%q is let in as %q, and what is sent on is not: %v", target, p, err)
		}
	})
}
