package endpoint

import (
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Dynamic client registration (RFC 7591) and its management (RFC 7592). Where the
// operator has not turned it on, none of it is there.
func registrationRoutes() []route {
	return []route{
		{http.MethodPost, pathRegister, byNewcomer, faceOAuth, (*Server).register},
		{http.MethodGet, pathRegister + "/{id}", byRegistered, faceOAuth, (*Server).readRegistered},
		{http.MethodPut, pathRegister + "/{id}", byRegistered, faceOAuth, (*Server).updateRegistered},
		{http.MethodDelete, pathRegister + "/{id}", byRegistered, faceOAuth, (*Server).deleteRegistered},
	}
}

var errNoRegistration = uma.NewError(uma.NotFound, "Clients cannot register themselves here.")

// authenticateNewcomer reads the initial access token (RFC 7591 3). Where everybody
// may register there may be none; one that is shown has to be good.
func (s *Server) authenticateNewcomer(c *call) error {
	if s.AS.Registration.Mode == as.RegistrationOff {
		return errNoRegistration
	}
	if len(c.r.Header.Values("Authorization")) == 0 && s.AS.Registration.Mode == as.RegistrationOpen {
		return nil
	}
	token, err := bearerToken(c)
	if err != nil {
		return err
	}
	c.initial, err = s.AS.InitialAccess(token)
	return err
}

// authenticateRegistered proves that the caller has the registration access token of
// the client that the path names.
func (s *Server) authenticateRegistered(c *call) error {
	if s.AS.Registration.Mode == as.RegistrationOff {
		return errNoRegistration
	}
	token, err := bearerToken(c)
	if err != nil {
		return err
	}
	c.token = token
	registered, err := s.AS.AuthenticateRegistered(c.r.Context(), oauth.ClientID(c.r.PathValue("id")), token)
	c.registered = &registered
	return err
}

// bearerToken reads a token that is bound to nothing.
func bearerToken(c *call) (string, error) {
	token, err := accessToken(c)
	if err == nil && !c.by("Bearer") {
		err = errNoToken
	}
	return token, err
}

// register is the client registration endpoint (RFC 7591 3.1).
func (s *Server) register(c *call) error {
	metadata, err := s.metadata(c)
	if err != nil {
		return err
	}
	r, token, err := s.AS.RegisterItself(c.r.Context(), c.initial, metadata)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, s.clientInformation(r, token))
	return nil
}

// readRegistered is the client read request (RFC 7592 2.1).
func (s *Server) readRegistered(c *call) error {
	writeJSON(c.w, http.StatusOK, s.clientInformation(*c.registered, c.token))
	return nil
}

// updateRegistered is the client update request (RFC 7592 2.2).
func (s *Server) updateRegistered(c *call) error {
	metadata, err := s.metadata(c)
	if err != nil {
		return err
	}
	r, err := s.AS.UpdateRegistered(c.r.Context(), *c.registered, metadata)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, s.clientInformation(r, c.token))
	return nil
}

// deleteRegistered is the client delete request (RFC 7592 2.3).
func (s *Server) deleteRegistered(c *call) error {
	if err := s.AS.DeleteRegistered(c.r.Context(), *c.registered); err != nil {
		return err
	}
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// metadata reads what a client says of itself.
func (s *Server) metadata(c *call) (as.Metadata, error) {
	said, err := body(c)
	return as.Metadata{Said: said, Offered: s.clientMethods()}, err
}

// clientInformation is the client information response (RFC 7591 3.2.1, RFC 7592 3).
// Of a secret only a hash is kept, so it is told once; the registration access token
// is told again to whoever has just shown it.
func (s *Server) clientInformation(r as.Registered, token string) map[string]any {
	out := r.Client.Metadata()
	out["client_id"] = r.Client.ID
	out["client_id_issued_at"] = r.IssuedAt().Unix()
	out["registration_access_token"] = token
	out["registration_client_uri"] = s.URL(pathRegister + "/" + string(r.Client.ID))
	if r.Secret != "" {
		out["client_secret"] = r.Secret
	}
	if r.Client.Secret() {
		out["client_secret_expires_at"] = 0 // never
	}
	if r.Statement() != "" {
		out["software_statement"] = r.Statement()
	}
	return out
}
