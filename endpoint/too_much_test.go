package endpoint

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// endless is a body of as many bytes as anybody reads, up to a limit.
type endless struct {
	read  atomic.Int64 // a connection may still read when the answer is there
	limit int64
	fill  byte
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read.Load() >= e.limit {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = e.fill
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// Proves SEC-015, SEC-113.
func TestWhatIsTooMuchIsRefusedUnreadAndUnwritten(t *testing.T) {
	w, written := newTalliedWorld(t)
	pat, id := w.gallery("read")
	owner := w.token(w.C1, w.Alice, oauth.ScopePolicy)
	request := w.pendingRequest(t, pat, id)
	many := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	one := `{"resource_id":"` + string(id) + `","resource_scopes":["view"]}`
	claim := `{"name":"email","value":"bob@example.com"}`
	before := written.Load()
	for name, c := range map[string]struct{ method, path, token, body string }{
		"10,000 permissions":              {http.MethodPost, pathPermission, pat, "[" + many(10_000, one) + "]"},
		"one permission more than may be": {http.MethodPost, pathPermission, pat, "[" + many(uma.MaxPermissions+1, one) + "]"},
		"10,000 small ones":               {http.MethodPost, pathPermission, pat, "[" + many(10_000, "{}") + "]"},
		"10,000 scopes of a permission":   {http.MethodPost, pathPermission, pat, strings.Replace(one, `"view"`, many(10_000, `"view"`), 1)},
		"1 MB around a permission":        {http.MethodPost, pathPermission, pat, one + strings.Repeat(" ", 1<<20)},
		"10,000 levels":                   {http.MethodPost, pathPermission, pat, strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)},
		"a resource with 10,000 scopes":   {http.MethodPost, pathResources, pat, `{"resource_scopes":[` + many(10_000, `"view"`) + `]}`},
		"a resource of 1 MB":              {http.MethodPost, pathResources, pat, `{"resource_scopes":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`},
		"a policy with 10,000 scopes":     {http.MethodPost, pathPolicies, owner, `{"resource_id":"` + string(id) + `","anyone":true,"resource_scopes":[` + many(10_000, `"view"`) + `]}`},
		"a policy with 1,000 claims":      {http.MethodPost, pathPolicies, owner, `{"resource_id":"` + string(id) + `","resource_scopes":["view"],"required_claims":[` + many(1_000, claim) + `]}`},
		"a policy with 10,000 values":     {http.MethodPost, pathPolicies, owner, `{"resource_id":"` + string(id) + `","resource_scopes":["view"],"required_claims":[{"name":"email","values":[` + many(10_000, `"a@b.example"`) + `]}]}`},
		"an approval of 10,000":           {http.MethodPost, pathRequests + "/" + request + "/approve", owner, `{"permissions":[` + many(10_000, one) + `]}`},
	} {
		begin := time.Now()
		a := w.api(c.method, c.path, c.token, c.body)
		if a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %s %.200s", name, a.Status, a.Body)
		}
		t.Logf("%s: %d bytes, %s in %s", name, len(c.body), a.Status, time.Since(begin).Round(time.Millisecond))
	}
	if after := written.Load(); after != before {
		t.Errorf("what was too much has written %d times", after-before)
	}
}

// A body that does not end is not read to its end.
//
// Proves SEC-015.
func TestABodyWithoutAnEndIsNotWaitedFor(t *testing.T) {
	w, written := newTalliedWorld(t)
	before := int64(0)
	w.eachFiling(func(name string, rt route, f filing) {
		if before == 0 {
			before = written.Load() // all of them are made by now
		}
		body := &endless{limit: 64 << 20, fill: 'x'}
		f.header = f.header.Clone()
		f.header.Set("Connection", "close")
		r, err := http.NewRequest(rt.method, w.Issuer+f.path, io.NopCloser(body))
		w.must(err)
		maps.Copy(r.Header, f.header)
		r.Header.Set("Content-Type", f.contentType())
		response, err := w.HTTP.Do(r)
		if err == nil { // a server that hangs up in the middle has refused it, too
			_ = response.Body.Close()
			if response.StatusCode < 400 || response.StatusCode > 499 {
				t.Errorf("%s, without an end: %s", name, response.Status)
			}
		}
		if body.read.Load() > 16<<20 { // what lies in the buffers of two sockets is read, but not looked at
			t.Errorf("%s: of a body without an end %d bytes were taken", name, body.read.Load())
		}
	})
	if after := written.Load(); after != before {
		t.Errorf("bodies without an end have written %d times", after-before)
	}
}

// Whoever says how long a form is, and it is too long, has it refused before a byte
// of it is read.
func TestAFormThatIsSaidToBeTooLongIsNotRead(t *testing.T) {
	w := newWorld(t)
	body := &endless{limit: 1 << 20, fill: 'x'}
	r := httptest.NewRequest(http.MethodPost, pathToken, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.ContentLength = 1 << 20
	answer := httptest.NewRecorder()
	w.Server.ServeHTTP(answer, r)
	if answer.Code != http.StatusRequestEntityTooLarge || body.read.Load() != 0 {
		t.Errorf("%d, after %d bytes", answer.Code, body.read.Load())
	}
}
