package endpoint

import (
	"net"
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// oauthRoutes are the endpoints that OAuth, OpenID Connect and the UMA grant
// define.
func oauthRoutes() []route {
	return []route{
		{http.MethodGet, pathUMAConfiguration, anybody, faceOAuth, (*Server).discovery},
		{http.MethodGet, pathOAuthConfiguration, anybody, faceOAuth, (*Server).discovery},
		{http.MethodGet, pathOpenIDConfiguration, anybody, faceOAuth, (*Server).discovery},
		{http.MethodGet, pathJWKS, anybody, faceOAuth, (*Server).jwks},
		{http.MethodPost, pathPushed, byClient, faceOAuth, (*Server).push},
		{http.MethodPost, pathToken, byClient, faceOAuth, (*Server).token},
		{http.MethodPost, pathRevoke, byClient, faceOAuth, (*Server).revoke},
		{http.MethodGet, pathUserInfo, byBearer, faceOAuth, (*Server).userInfo},
		{http.MethodPost, pathUserInfo, byBearer, faceOAuth, (*Server).userInfo},
	}
}

// token is the token endpoint (RFC 6749 3.2, Grant 3.3).
func (s *Server) token(c *call) error {
	switch c.form["grant_type"] {
	case uma.GrantType:
		return s.tokenUMA(c)
	case oauth.GrantAuthorizationCode:
		return s.tokenCode(c)
	case oauth.GrantRefreshToken:
		return s.tokenRefresh(c)
	case oauth.GrantClientCredentials:
		return s.tokenClientCredentials(c)
	case "":
		return uma.NewError(uma.InvalidRequest, "The parameter grant_type is missing.")
	default:
		return uma.NewError(uma.UnsupportedGrantType, "This grant type is not supported.")
	}
}

// tokenUMA is the UMA grant (Grant 3.3.1). Its four results are answered here
// (Grant 3.3.5, 3.3.6).
func (s *Server) tokenUMA(c *call) error {
	req, err := uma.ParseTokenRequest(c.form)
	if err != nil {
		return err
	}
	result, err := s.AS.Redeem(c.r.Context(), *c.client, req, remoteAddress(c.r))
	if err != nil {
		return err
	}
	switch result := result.(type) {
	case as.Granted:
		writeJSON(c.w, http.StatusOK, result.TokenResponse)
	case as.NeedInfo:
		writeJSON(c.w, http.StatusForbidden, uma.ErrorResponse{
			Error: uma.NeedInfoCode, ErrorDescription: "The authorization server needs to know more about the requesting party.",
			Ticket: result.Ticket, RequiredClaims: result.RequiredClaims, RedirectUser: result.RedirectUser,
		})
	case as.Submitted:
		writeJSON(c.w, http.StatusForbidden, uma.ErrorResponse{
			Error: uma.RequestSubmittedCode, ErrorDescription: "The resource owner has been asked.",
			Ticket: result.Ticket, Interval: result.Interval,
		})
	case as.Denied:
		return uma.NewError(uma.RequestDenied, "The client is not authorized to have these permissions.")
	}
	return nil
}

func (s *Server) tokenCode(c *call) error {
	for _, name := range []string{"code", "code_verifier"} {
		if c.form[name] == "" {
			return uma.NewError(uma.InvalidRequest, "The parameter "+name+" is missing.")
		}
	}
	if err := s.checkTargets(c); err != nil {
		return err
	}
	answer, err := s.AS.ExchangeCode(c.r.Context(), *c.client, c.form["code"], c.form["redirect_uri"], c.form["code_verifier"])
	return answered(c, answer, err)
}

func (s *Server) tokenRefresh(c *call) error {
	if c.form["refresh_token"] == "" {
		return uma.NewError(uma.InvalidRequest, "The parameter refresh_token is missing.")
	}
	scopes, err := formScopes(c.form)
	if err != nil {
		return err
	}
	targets, err := uma.ParseTargets(c.form)
	if err != nil {
		return err
	}
	answer, err := s.AS.Refresh(c.r.Context(), *c.client, c.form["refresh_token"], scopes, targets...)
	return answered(c, answer, err)
}

func (s *Server) tokenClientCredentials(c *call) error {
	scopes, err := formScopes(c.form)
	if err != nil {
		return err
	}
	if err := s.checkTargets(c); err != nil {
		return err
	}
	answer, err := s.AS.ClientCredentials(c.r.Context(), *c.client, scopes)
	return answered(c, answer, err)
}

func answered(c *call, answer uma.TokenResponse, err error) error {
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, answer)
	return nil
}

// checkTargets refuses a request for an OAuth access token that is meant for another
// place than this server (RFC 8707 2.2). What is shown with it stays as it was.
func (s *Server) checkTargets(c *call) error {
	targets, err := uma.ParseTargets(c.form)
	if err != nil {
		return err
	}
	return s.AS.CheckTargets(targets)
}

// formScopes reads the scope parameter; nil when it is absent.
func formScopes(form uma.Form) ([]uma.Scope, error) {
	if form["scope"] == "" {
		return nil, nil
	}
	return uma.ParseScope(form["scope"])
}

// remoteAddress is the address of the other end of the connection. Forwarding
// headers can be made up by anybody and are not looked at.
func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// revoke is the revocation endpoint (RFC 7009, Grant 3.7). The hint is not
// needed: a token is looked for in all its kinds, as RFC 7009 2.1 demands of a
// hint that is wrong.
func (s *Server) revoke(c *call) error {
	if c.form["token"] == "" {
		return uma.NewError(uma.InvalidRequest, "The parameter token is missing.")
	}
	if err := s.AS.Revoke(c.r.Context(), *c.client, c.form["token"]); err != nil {
		return err
	}
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// userInfo is the UserInfo endpoint (OpenID Connect Core 5.3).
func (s *Server) userInfo(c *call) error {
	account, scopes, err := s.AS.UserInfo(c.r.Context(), c.token)
	if err != nil {
		return err
	}
	claims := map[string]any{"sub": account.ID}
	for _, scope := range scopes {
		switch scope {
		case oauth.ScopeEmail:
			claims["email"], claims["email_verified"] = account.Email, account.EmailVerified
		case oauth.ScopeProfile:
			claims["name"] = account.Name
		}
	}
	writeJSON(c.w, http.StatusOK, claims)
	return nil
}
