package rs

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// raw sends a request line as it is, which no client library would.
func raw(t *testing.T, server *httptest.Server, target string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: photos\r\nConnection: close\r\n\r\n", target)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return res
}

// Proves SEC-057, PEER-CVE-2026-9800.
func TestAPathWithSeveralReadingsIsRefusedOrReadInTheCanonicalWay(t *testing.T) {
	p := newPhotos(t)
	server := httptest.NewServer(p.Guard(p))
	t.Cleanup(server.Close)
	for _, target := range []string{
		"//alice/album", "/alice//album", "/alice/album//", "/./alice/album", "/alice/./album", "/alice/album/.",
		"/public/../alice/album", "/alice/album/..", "/public/..;/alice/album", "/public/%2e%2e/alice/album", "/public/%2E./alice/album",
		"/public/..%2falice/album", "/alice%2Falbum", "/alice%2falbum", "/alice/album;x=y", "/alice;x=y/album", "/alice/album%3Bx=y",
		`/public\..\alice\album`, "/alice%5Calbum", "/alice/album%00", "/alice/album%00.png", "/alice/album%0a", "/alice/album%7f",
		"/public/%252e%252e/alice/album", "/alice%252Falbum", "/alice/album.", "/alice/album%2e", "/alice/...", "/alice/album%ff",
		"/public/access-denied/../../alice/album", "*", "/alice/album%",
	} {
		if res := raw(t, server, target); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is answered %s", target, res.Status)
		}
	}
	// These are the protected album in another spelling, and are decided alike.
	for _, target := range []string{"/alice/album", "/%61lice/album", "/alice/%61lbum", "/alice/album/", "/alice/album?x=/../public", "http://elsewhere/alice/album", "/alice/album?/public/access-denied"} {
		if res := raw(t, server, target); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s is answered %s", target, res.Status)
		}
	}
	if n := p.handled.Load(); n != 0 {
		t.Errorf("%d of these came through", n)
	}
	for _, target := range []string{"/", "/public/a%20b.png", "/public/100%25", "/public/caf%C3%A9/", "/public/.well-known/x", "/public/a+b:c@d,e"} {
		if res := raw(t, server, target); res.StatusCode != http.StatusOK {
			t.Errorf("%s is answered %s", target, res.Status)
		}
	}
}

func TestRouteAndHandlerSeeOneSpelling(t *testing.T) {
	p := newPhotos(t)
	var seen []string
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path, r.URL.EscapedPath(), r.RequestURI, r.URL.RawQuery)
	})
	r := httptest.NewRequest("GET", "/public/%61%20b?q=%61", nil)
	p.Guard(h).ServeHTTP(httptest.NewRecorder(), r)
	if got, want := fmt.Sprint(seen), "[/public/a b /public/a%20b /public/a%20b?q=%61 q=%61]"; got != want {
		t.Errorf("the handler saw %s, not %s", got, want)
	}
	if r.URL.EscapedPath() != "/public/%61%20b" {
		t.Error("the caller's request was changed")
	}
}
