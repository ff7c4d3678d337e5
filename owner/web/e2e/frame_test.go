package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
)

// Nobody puts a page of ours into a frame of theirs, to have somebody press what they do
// not see.
//
// Proves SEC-067.
func TestAPageIsInNobodysFrame(t *testing.T) {
	p := visit(t)
	photo := p.photo(t, "Sunrise")
	for _, path := range []string{"/app/", "/app/share?thing=" + photo, "/sign-in", "/authorize?client_id=nobody"} {
		t.Run(path, func(t *testing.T) {
			foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				if r.URL.Path == "/" {
					fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,"><iframe title="x" src="%s"></iframe>`, p.fixture.Issuer+path)
				}
			}))
			defer foreign.Close()
			v := p.visitor(t, way{width: desk, scripts: true})
			v.open("/sign-in")
			v.signIn(p.fixture.Owners["alice"])
			v.complained()
			v.open(foreign.URL + "/")
			if said := strings.Join(v.complained(), "\n"); !strings.Contains(said, "frame-ancestors") && !strings.Contains(said, "ERR_BLOCKED_BY_RESPONSE") {
				t.Errorf("the browser says %q", said)
			}
			for _, child := range call(v, page.GetFrameTree, cdp.Empty{}).FrameTree.ChildFrames {
				if strings.HasPrefix(child.Frame.URL, p.fixture.Issuer) {
					t.Errorf("in the frame is %s", child.Frame.URL)
				}
			}
			v.complained()
		})
	}
}
