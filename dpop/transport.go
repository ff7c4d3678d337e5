package dpop

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

// UseNonce is the error code of a server that wants its nonce in the proof (RFC
// 9449 8).
const UseNonce uma.Code = "use_dpop_nonce"

// Transport is an http.RoundTripper that adds a proof to every request. Where the
// request has an access token, under the scheme DPoP, the proof is for that token.
// It uses the nonces that servers give out, and sends a request again when it was
// refused for want of one. It may be used by any number of goroutines.
type Transport struct {
	Key  *Key
	Base http.RoundTripper // nil is http.DefaultTransport
	Now  func() time.Time  // nil is time.Now

	mu     sync.Mutex
	nonces map[string]string // by scheme and host
}

// maxServers is of how many servers the nonce is kept.
const maxServers = 256

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.send(req, req.Body)
	if err != nil || !wantsNonce(res) {
		return res, err
	}
	body := req.Body
	switch {
	case req.GetBody != nil:
		if body, err = req.GetBody(); err != nil {
			return res, nil // what it said is the answer, then
		}
	case body != nil && body != http.NoBody:
		return res, nil
	}
	res.Body.Close()
	return t.send(req, body)
}

// send sends a copy of the request with a proof, and learns the nonce to use next.
func (t *Transport) send(req *http.Request, body io.ReadCloser) (*http.Response, error) {
	server := req.URL.Scheme + "://" + req.URL.Host
	t.mu.Lock()
	nonce := t.nonces[server]
	t.mu.Unlock()
	now, base := time.Now, t.Base
	if t.Now != nil {
		now = t.Now
	}
	if base == nil {
		base = http.DefaultTransport
	}
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "DPoP") {
		token = ""
	}
	proof, err := t.Key.Proof(req.Method, req.URL.String(), token, nonce, now())
	if err != nil {
		if body != nil {
			body.Close()
		}
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = body
	out.Header.Set("DPoP", proof)
	res, err := base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if next := res.Header.Get("DPoP-Nonce"); next != "" && next != nonce {
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.nonces) >= maxServers || t.nonces == nil {
			t.nonces = map[string]string{}
		}
		t.nonces[server] = next
	}
	return res, nil
}

// wantsNonce says whether a request was refused for nothing but the nonce: a token
// endpoint says so in the body, everybody else in the header (RFC 9449 8, 9). The
// body stays to be read.
func wantsNonce(res *http.Response) bool {
	if res.Header.Get("DPoP-Nonce") == "" {
		return false
	}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		for _, challenge := range res.Header.Values("WWW-Authenticate") {
			if strings.HasPrefix(strings.ToLower(challenge), "dpop ") && strings.Contains(challenge, `error="`+string(UseNonce)+`"`) {
				return true
			}
		}
	case http.StatusBadRequest:
		head, err := io.ReadAll(io.LimitReader(res.Body, uma.MaxJSON))
		res.Body = rest{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
		if err != nil {
			return false
		}
		refusal, err := uma.ParseErrorResponse(bytes.NewReader(head))
		return err == nil && refusal.Error == UseNonce
	}
	return false
}

type rest struct {
	io.Reader
	io.Closer
}
