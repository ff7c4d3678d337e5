package rs

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/dpop"
	"github.com/licet/licet/uma"
)

// An RPT may be bound to a key, which whoever shows it has to prove to have: by a
// DPoP proof (RFC 9449 7), or by the client certificate of the connection (RFC 8705
// 3). A bound RPT without its proof is as good as none, and so is a proof with an
// RPT that is bound to nothing.

// shown is an RPT as it came with a request.
type shown struct {
	token uma.RPT
	dpop  bool // under the scheme DPoP
}

var errTwoProofs = errors.New("rs: more than one DPoP header")

// errHolder says that the RPT is good, and not in these hands.
var errHolder = errors.New("rs: the RPT is bound to a key that was not proved")

// holds says whether the request proves what the RPT is bound to; errHolder where
// it does not.
func (s *Server) holds(r *http.Request, rpt shown, bound *uma.Confirmation) error {
	switch {
	case bound == nil && !rpt.dpop:
		return nil
	case bound == nil:
	case bound.Key != "" && rpt.dpop:
		p, err := dpop.Verify(r.Header.Get("DPoP"), r.Method, s.origin(r)+r.URL.EscapedPath(), string(rpt.token), s.now())
		if err == nil && p.Thumbprint == bound.Key && s.proofs.first(p.Thumbprint+" "+p.ID, s.now()) {
			return nil
		}
	case bound.Key == "" && bound.Certificate != "" && !rpt.dpop && r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
		if base64.RawURLEncoding.EncodeToString(sum[:]) == bound.Certificate {
			return nil
		}
	}
	return errHolder
}

// origin is how clients call this API.
func (s *Server) origin(r *http.Request) string {
	if s.external != "" {
		return s.external
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// refuseHolder answers to an RPT in the wrong hands (RFC 9449 7.1). There is no
// ticket: the RPT that there is would do, with its proof.
func refuseHolder(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `DPoP algs="`+strings.Join(dpop.Algorithms, " ")+`", error="invalid_token"`)
	problem(w, http.StatusUnauthorized, "The token is bound to a key, and the request does not prove to have it.")
}

// proofs remembers the proofs that were used, while they could be used again. It is
// bounded: when more come than it holds, proofs are refused until older ones have
// ended.
type proofs struct {
	mu         sync.Mutex
	young, old map[string]struct{}
	turned     time.Time
}

const (
	proofLife = dpop.MaxAge + dpop.Skew
	maxProofs = 1 << 17
)

// first says whether a proof is seen for the first time.
func (p *proofs) first(id string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := now.Sub(p.turned); age >= proofLife || age < 0 {
		if p.old = p.young; age >= 2*proofLife {
			p.old = nil
		}
		p.young, p.turned = map[string]struct{}{}, now
	}
	_, seen := p.young[id]
	if _, before := p.old[id]; seen || before || len(p.young) >= maxProofs {
		return false
	}
	p.young[id] = struct{}{}
	return true
}
