package endpoint

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// discard is an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// again serves the same request over and over, without a network.
func again(b *testing.B, w *world, path, contentType, authorization, body string, want int) {
	b.Helper()
	text := strings.NewReader(body)
	r, err := http.NewRequest(http.MethodPost, w.Issuer+path, io.NopCloser(text))
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr, r.ContentLength = "192.0.2.1:1", int64(len(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", authorization)
	to := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		text.Reset(body)
		w.Server.ServeHTTP(to, r)
		if to.status != want {
			b.Fatalf("the answer is %d, want %d", to.status, want)
		}
	}
}

func BenchmarkPermission(b *testing.B) {
	w := newWorld(b)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "a thing", "view")
	again(b, w, pathPermission, "application/json", "Bearer "+pat, `{"resource_id":"`+string(id)+`","resource_scopes":["view"]}`, http.StatusCreated)
}

func BenchmarkIntrospect(b *testing.B) {
	w := newWorld(b)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "a thing", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true})
	rpt := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(b)["access_token"].(string)
	again(b, w, pathIntrospect, "application/x-www-form-urlencoded", "Bearer "+pat, "token="+rpt, http.StatusOK)
}
