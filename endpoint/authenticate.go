package endpoint

import (
	"context"
	"strings"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// authenticate lets in whom the route table names and puts them into the call.
func (s *Server) authenticate(who caller, c *call) error {
	if err := s.readSender(c); err != nil {
		return err
	}
	ctx := c.r.Context()
	switch who {
	case anybody:
		return nil
	case byClient:
		return s.authenticateClient(ctx, c)
	case byPAT:
		token, err := accessToken(c)
		if err != nil {
			return err
		}
		c.pat, err = s.AS.AuthenticatePAT(ctx, token)
		return err
	case byOwner:
		token, err := accessToken(c)
		if err != nil {
			return err
		}
		c.owner, err = s.AS.AuthenticateOwner(ctx, token)
		return err
	case byBearer:
		var err error
		c.token, err = accessToken(c)
		return err
	case byPATOrClient:
		bySelf, err := s.provesItself(c)
		if err != nil {
			return err
		}
		if !c.by("Basic") && !bySelf {
			return s.authenticate(byPAT, c)
		}
		if err := s.authenticateClient(ctx, c); err != nil {
			return err
		}
		if c.client.Public() {
			return uma.NewError(uma.InvalidClient, "A public client may not introspect tokens.")
		}
		return nil
	case byNewcomer:
		return s.authenticateNewcomer(c)
	case byRegistered:
		return s.authenticateRegistered(c)
	case byBrowser:
		return s.checkBrowser(c)
	default:
		return errNobody
	}
}

// errNobody is the answer of a route that names no caller. buildMux refuses
// such a route, so this is a second lock on the same door.
var errNobody = uma.NewError(uma.AccessDenied, "Nobody may call this.")

// authenticateClient reads the form, because the credentials may be in it, and
// proves the client.
func (s *Server) authenticateClient(ctx context.Context, c *call) error {
	if err := c.readForm(); err != nil {
		return err
	}
	cred, err := oauth.ParseCredentials(c.r.Header[headerAuthorization], c.form)
	if err != nil {
		return err
	}
	client, err := s.AS.AuthenticateClient(ctx, cred)
	if err == nil {
		c.client = &client
	}
	return err
}

// provesItself says whether the caller comes without a header, and as a client with
// a client assertion or a certificate.
func (s *Server) provesItself(c *call) (bool, error) {
	if len(c.r.Header[headerAuthorization]) > 0 || hasContentType(c.r, "application/x-www-form-urlencoded") != nil {
		return false, nil
	}
	if err := c.readForm(); err != nil {
		return false, err
	}
	certified := c.r.TLS != nil && len(c.r.TLS.PeerCertificates) > 0
	return c.form["client_assertion"] != "" || c.form["client_id"] != "" && certified, nil
}

// headerAuthorization is a header as net/http keeps it.
const headerAuthorization = "Authorization"

// by says whether the Authorization header is of a scheme.
func (c *call) by(scheme string) bool {
	values := c.r.Header[headerAuthorization]
	if len(values) == 0 {
		return false
	}
	name, _, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(name, scheme)
}

// errNoToken is the answer to a caller that showed no token at all. It names no
// error code (RFC 6750 3.1).
var errNoToken = uma.NewError("", "This endpoint needs an access token.")

// accessToken reads the access token from the header. Tokens in a query or a body
// are not accepted: they end up in logs.
func accessToken(c *call) (string, error) {
	values := c.r.Header[headerAuthorization]
	switch {
	case len(values) == 0:
		return "", errNoToken
	case len(values) > 1:
		return "", uma.NewError(uma.InvalidRequest, "There are several Authorization headers.")
	}
	name, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(name, "Bearer") && !strings.EqualFold(name, "DPoP") {
		return "", errNoToken
	}
	if token = strings.TrimSpace(token); token == "" || strings.ContainsAny(token, " ,\t") {
		return "", uma.NewError(uma.InvalidRequest, "The Authorization header is malformed.")
	}
	return token, nil
}
