package endpoint

import (
	"net/http"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

var errTwoProofs = uma.NewError(oauth.InvalidDPoPProof, "There are several DPoP proofs.")

// headerProof is the header DPoP as net/http keeps it.
const headerProof = "Dpop"

// readSender puts into the request's context what the request shows of its sender
// (RFC 9449 4.1). Most show nothing.
func (s *Server) readSender(c *call) error {
	proofs := c.r.Header[headerProof]
	from := as.Sender{DPoP: c.by("DPoP")}
	if c.r.TLS != nil {
		from.Certificates = c.r.TLS.PeerCertificates
	}
	if len(proofs) == 0 && !from.DPoP && len(from.Certificates) == 0 {
		return nil
	}
	if len(proofs) > 0 || from.DPoP {
		c.w.Header().Set("DPoP-Nonce", s.AS.Nonce())
	}
	switch len(proofs) {
	case 0:
	case 1:
		from.Proof = proofs[0]
	default:
		return errTwoProofs
	}
	from.Method, from.URL = c.r.Method, s.originOf(c.r)+c.r.URL.EscapedPath()
	c.r = c.r.WithContext(as.WithSender(c.r.Context(), from))
	return nil
}

// ofProof says whether it is the DPoP proof that is at fault.
func ofProof(code uma.Code) bool { return code == oauth.InvalidDPoPProof || code == dpop.UseNonce }

// challenge says how to authenticate: a client by its credentials (RFC 6749 5.2),
// everybody else by an access token of one of the two kinds (RFC 6750 3, RFC 9449
// 7.1). The kind that was tried is told what is wrong with it.
func challenge(c *call, e *uma.Error, to http.Header) {
	if e.Code == uma.InvalidClient {
		to.Set("WWW-Authenticate", `Basic realm="licet", charset="UTF-8"`)
		return
	}
	bearer := []string{`Bearer realm="licet"`}
	dpop := []string{`DPoP realm="licet"`, `algs="` + strings.Join(dpop.Algorithms, " ") + `"`}
	tried := &bearer
	if c.by("DPoP") {
		tried = &dpop
	}
	if e.Code != "" {
		*tried = append(*tried, `error="`+string(e.Code)+`"`, `error_description="`+e.Description+`"`)
	}
	to.Set("WWW-Authenticate", strings.Join(bearer, ", "))
	to.Add("WWW-Authenticate", strings.Join(dpop, ", "))
}
