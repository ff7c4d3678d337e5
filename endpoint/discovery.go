package endpoint

import (
	"net/http"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// ProfilePolicyManager identifies our completion of the Kantara Policy Manager
// draft: the owner's API and the metadata members that announce it (Grant 4).
const ProfilePolicyManager = "https://github.com/licet/licet/profiles/policy-manager/1"

// ProfileClaimTokens identifies how trust in pushed ID tokens is established:
// see docs/reference/claim-tokens.md (Grant 5.7).
const ProfileClaimTokens = "https://github.com/licet/licet/profiles/id-token-claims/1"

// discovery serves one document under all its well-known names (Grant 2,
// RFC 8414, OpenID Connect Discovery).
func (s *Server) discovery(c *call) error {
	methods := s.clientMethods()
	registration := ""
	if s.AS.Registration.Mode != as.RegistrationOff {
		registration = s.URL(pathRegister)
	}
	c.w.Header().Set("Access-Control-Allow-Origin", "*") // public, and without credentials
	writeJSON(c.w, http.StatusOK, uma.Metadata{
		Issuer:                s.AS.Issuer,
		AuthorizationEndpoint: s.URL(pathAuthorize),
		TokenEndpoint:         s.URL(pathToken),

		PushedAuthorizationRequestEndpoint: s.URL(pathPushed),
		JWKSURI:                            s.URL(pathJWKS),
		IntrospectionEndpoint:              s.URL(pathIntrospect),
		RevocationEndpoint:                 s.URL(pathRevoke),
		RegistrationEndpoint:               registration,
		UserInfoEndpoint:                   s.URL(pathUserInfo),
		EndSessionEndpoint:                 s.URL(pathEndSession),
		ScopesSupported: []uma.Scope{
			oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeProfile, oauth.ScopeOfflineAccess,
			uma.ScopeProtection, oauth.ScopePolicy,
		},
		ResponseTypesSupported: []string{"code"},
		ResponseModesSupported: []string{"query"},
		GrantTypesSupported: []string{
			oauth.GrantAuthorizationCode, oauth.GrantClientCredentials, oauth.GrantRefreshToken, uma.GrantType,
		},
		TokenEndpointAuthMethodsSupported:          methods,
		RevocationEndpointAuthMethodsSupported:     methods,
		IntrospectionEndpointAuthMethodsSupported:  slices.DeleteFunc(slices.Clone(methods), notAtIntrospection),
		TokenEndpointAuthSigningAlgValuesSupported: oauth.AssertionAlgorithms,
		RequirePushedAuthorizationRequests:         s.AS.FAPI2,
		CertificateBoundAccessTokens:               s.mutual != nil,
		MTLSEndpointAliases:                        s.aliases(),
		DPoPSigningAlgValuesSupported:              dpop.Algorithms,
		CodeChallengeMethodsSupported:              []string{"S256"},
		AuthorizationResponseIssParameterSupported: true,
		BackchannelLogoutSupported:                 true,
		BackchannelLogoutSessionSupported:          true,
		SubjectTypesSupported:                      []string{"public"},
		IDTokenSigningAlgValuesSupported:           []string{oauth.DefaultAlgorithm},
		ClaimsSupported:                            []string{"sub", "email", "email_verified", "name"},

		ClaimsInteractionEndpoint:    s.URL(pathClaims),
		UMAProfilesSupported:         []string{ProfilePolicyManager, ProfileClaimTokens, uma.ProfileTicketBinding, as.ProfileSignedRPT},
		PermissionEndpoint:           s.URL(pathPermission),
		ResourceRegistrationEndpoint: s.URL(pathResources),
		PolicyEndpoint:               s.URL(pathPolicies),
		RegisteredResourcesEndpoint:  s.URL(pathOwnedResources),
		PermissionRequestsEndpoint:   s.URL(pathRequests),
	})
	return nil
}

// clientMethods are the ways in which clients authenticate.
func (s *Server) clientMethods() []string {
	methods := []string{string(oauth.AuthKey)}
	if s.mutual != nil {
		methods = append(methods, string(oauth.AuthSelfSigned))
		if s.AS.ClientAuthorities != nil {
			methods = append(methods, string(oauth.AuthTLS))
		}
	}
	if s.AS.FAPI2 {
		return methods
	}
	return append(methods, string(oauth.AuthBasic), string(oauth.AuthPost), string(oauth.AuthNone))
}

// notAtIntrospection says whether a method does not go there: a public client may not
// introspect, and a form with a client_secret is taken for one without a token.
func notAtIntrospection(method string) bool {
	return method == string(oauth.AuthNone) || method == string(oauth.AuthPost)
}

// jwks serves the keys that this server's ID tokens are signed with.
func (s *Server) jwks(c *call) error {
	set, err := s.AS.JWKS(c.r.Context())
	if err != nil {
		return err
	}
	c.w.Header().Set("Access-Control-Allow-Origin", "*")
	writeJSON(c.w, http.StatusOK, set)
	return nil
}
