package endpoint

import (
	_ "embed"
	"net/http"
	"strconv"
)

// openAPIDocument describes the owner's API; a test holds it against the
// running server.
//
//go:embed openapi.json
var openAPIDocument []byte

func (s *Server) openAPI(c *call) error {
	h := c.w.Header()
	h.Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	h.Set("Content-Length", strconv.Itoa(len(openAPIDocument)))
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*") // public, and without credentials
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(openAPIDocument) // a caller that is gone cannot be told
	return nil
}
