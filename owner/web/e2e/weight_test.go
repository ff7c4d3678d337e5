package e2e

import (
	"bytes"
	"compress/gzip"
	"maps"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// lightest is how much a first page may weigh with all that it needs, packed.
const lightest = 40 << 10

// The first page that somebody sees comes quickly wherever they are.
func TestTheFirstPageIsLight(t *testing.T) {
	p := visit(t)
	v := p.visitor(t, way{width: phone, scripts: true})
	call(v, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	v.open("/app/")
	v.weighs("signing in")
	v.signIn(p.fixture.Owners["alice"])
	v.wantAt("/app/")
	v.weighs("home")
}

// weighs measures what the page and everything that it needs weigh on the wire, and
// as bodies packed with gzip, as anything before the server may do. Pages themselves
// are not packed by the server: they hold secrets next to what somebody else chose.
func (v *visitor) weighs(what string) {
	v.t.Helper()
	files := v.fetched()
	var wire, packed int64
	for id, f := range files {
		answer := call(v, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
		body := []byte(answer.Body)
		small := pack(v.t, body)
		v.t.Logf("%s: %6d, %6d on the wire, %6d packed: %s", what, len(body), f.wire, small, f.address)
		wire, packed = wire+f.wire, packed+small
	}
	v.t.Logf("%s: %d on the wire, %d packed", what, wire, packed)
	if len(files) < 3 {
		v.t.Errorf("%s: only %d files were fetched", what, len(files))
	}
	if wire > lightest || packed > lightest {
		v.t.Errorf("%s: %d bytes on the wire, %d packed; at most %d are borne", what, wire, packed, lightest)
	}
}

// fetched waits until all that the page has asked for is there: its icon comes when
// it has been loaded.
func (v *visitor) fetched() map[network.RequestID]*file {
	v.t.Helper()
	late := time.After(patience)
	for {
		v.mu.Lock()
		files := maps.Clone(v.files)
		missing := ""
		for _, f := range files {
			if f.wire == 0 {
				missing = f.address
			}
		}
		v.mu.Unlock()
		if missing == "" {
			return files
		}
		select {
		case <-v.arrived:
		case <-late:
			v.fatalf("%s did not come", missing)
		}
	}
}

func pack(t *testing.T, body []byte) int64 {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return int64(b.Len())
}
