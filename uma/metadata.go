package uma

import (
	"io"
	"net/url"
	"strings"
)

// Metadata is the discovery document: authorization server metadata (RFC 8414)
// with the members of the two UMA specifications (Grant 2, FedAuthz 2) and of
// our policy manager.
type Metadata struct {
	Issuer                                     string            `json:"issuer"`
	AuthorizationEndpoint                      string            `json:"authorization_endpoint,omitempty"`
	PushedAuthorizationRequestEndpoint         string            `json:"pushed_authorization_request_endpoint,omitempty"`
	TokenEndpoint                              string            `json:"token_endpoint"`
	JWKSURI                                    string            `json:"jwks_uri,omitempty"`
	RegistrationEndpoint                       string            `json:"registration_endpoint,omitempty"`
	IntrospectionEndpoint                      string            `json:"introspection_endpoint,omitempty"`
	RevocationEndpoint                         string            `json:"revocation_endpoint,omitempty"`
	UserInfoEndpoint                           string            `json:"userinfo_endpoint,omitempty"`
	EndSessionEndpoint                         string            `json:"end_session_endpoint,omitempty"`
	ScopesSupported                            []Scope           `json:"scopes_supported,omitempty"`
	ResponseTypesSupported                     []string          `json:"response_types_supported,omitzero"`
	ResponseModesSupported                     []string          `json:"response_modes_supported,omitempty"`
	GrantTypesSupported                        []string          `json:"grant_types_supported,omitempty"`
	TokenEndpointAuthMethodsSupported          []string          `json:"token_endpoint_auth_methods_supported,omitempty"`
	TokenEndpointAuthSigningAlgValuesSupported []string          `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationEndpointAuthMethodsSupported     []string          `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	IntrospectionEndpointAuthMethodsSupported  []string          `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	CodeChallengeMethodsSupported              []string          `json:"code_challenge_methods_supported,omitempty"`
	AuthorizationResponseIssParameterSupported bool              `json:"authorization_response_iss_parameter_supported,omitempty"`
	BackchannelLogoutSupported                 bool              `json:"backchannel_logout_supported,omitempty"`
	BackchannelLogoutSessionSupported          bool              `json:"backchannel_logout_session_supported,omitempty"`
	SubjectTypesSupported                      []string          `json:"subject_types_supported,omitempty"`
	IDTokenSigningAlgValuesSupported           []string          `json:"id_token_signing_alg_values_supported,omitempty"`
	RequirePushedAuthorizationRequests         bool              `json:"require_pushed_authorization_requests,omitempty"`      // RFC 9126 5
	CertificateBoundAccessTokens               bool              `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 3.3
	DPoPSigningAlgValuesSupported              []string          `json:"dpop_signing_alg_values_supported,omitempty"`          // RFC 9449 5.1
	MTLSEndpointAliases                        map[string]string `json:"mtls_endpoint_aliases,omitempty"`                      // RFC 8705 5
	ClaimsSupported                            []string          `json:"claims_supported,omitempty"`
	ServiceDocumentation                       string            `json:"service_documentation,omitempty"`

	ClaimsInteractionEndpoint    string   `json:"claims_interaction_endpoint,omitempty"`
	UMAProfilesSupported         []string `json:"uma_profiles_supported,omitempty"`
	PermissionEndpoint           string   `json:"permission_endpoint,omitempty"`
	ResourceRegistrationEndpoint string   `json:"resource_registration_endpoint,omitempty"`

	PolicyEndpoint              string `json:"policy_endpoint,omitempty"`
	RegisteredResourcesEndpoint string `json:"registered_resources_endpoint,omitempty"`
	PermissionRequestsEndpoint  string `json:"permission_requests_endpoint,omitempty"`
}

const wellKnownUMA = "/.well-known/uma2-configuration"

// MetadataURLs are the places where an issuer's discovery document may be, in
// the order to try: appended to the issuer (Grant 2) and, for an issuer with a
// path, inserted before it (RFC 8414 3; AMB-01).
func MetadataURLs(issuer string) []string {
	base := strings.TrimSuffix(issuer, "/")
	urls := []string{base + wellKnownUMA}
	u, err := url.Parse(base)
	if err != nil || u.Path == "" || u.Host == "" {
		return urls
	}
	return append(urls, u.Scheme+"://"+u.Host+wellKnownUMA+u.EscapedPath())
}

// aliases reads mtls_endpoint_aliases; nil when it is absent.
func (o Object) aliases() (map[string]string, error) {
	members, found, err := o.Object("mtls_endpoint_aliases")
	if err != nil || !found {
		return nil, err
	}
	out := map[string]string{}
	for name := range members {
		if out[name], _, err = members.String(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ParseMetadata reads a discovery document and refuses one that speaks for
// another issuer, be it by one character (RFC 8414 3.3). Members that are not
// known are ignored.
func ParseMetadata(r io.Reader, issuer string) (Metadata, error) {
	o, err := ParseObject(r)
	if err != nil {
		return Metadata{}, err
	}
	var m Metadata
	for name, field := range map[string]*string{
		"issuer": &m.Issuer, "authorization_endpoint": &m.AuthorizationEndpoint, "pushed_authorization_request_endpoint": &m.PushedAuthorizationRequestEndpoint,
		"token_endpoint": &m.TokenEndpoint,
		"jwks_uri":       &m.JWKSURI, "registration_endpoint": &m.RegistrationEndpoint, "introspection_endpoint": &m.IntrospectionEndpoint,
		"revocation_endpoint": &m.RevocationEndpoint, "userinfo_endpoint": &m.UserInfoEndpoint, "end_session_endpoint": &m.EndSessionEndpoint, "service_documentation": &m.ServiceDocumentation,
		"claims_interaction_endpoint": &m.ClaimsInteractionEndpoint, "permission_endpoint": &m.PermissionEndpoint,
		"resource_registration_endpoint": &m.ResourceRegistrationEndpoint, "policy_endpoint": &m.PolicyEndpoint,
		"registered_resources_endpoint": &m.RegisteredResourcesEndpoint, "permission_requests_endpoint": &m.PermissionRequestsEndpoint,
	} {
		if *field, _, err = o.String(name); err != nil {
			return Metadata{}, err
		}
	}
	var scopes []string
	for name, field := range map[string]*[]string{
		"scopes_supported": &scopes, "response_types_supported": &m.ResponseTypesSupported, "response_modes_supported": &m.ResponseModesSupported,
		"grant_types_supported": &m.GrantTypesSupported, "token_endpoint_auth_methods_supported": &m.TokenEndpointAuthMethodsSupported,
		"token_endpoint_auth_signing_alg_values_supported": &m.TokenEndpointAuthSigningAlgValuesSupported,
		"revocation_endpoint_auth_methods_supported":       &m.RevocationEndpointAuthMethodsSupported,
		"introspection_endpoint_auth_methods_supported":    &m.IntrospectionEndpointAuthMethodsSupported,
		"code_challenge_methods_supported":                 &m.CodeChallengeMethodsSupported, "subject_types_supported": &m.SubjectTypesSupported,
		"dpop_signing_alg_values_supported":     &m.DPoPSigningAlgValuesSupported,
		"id_token_signing_alg_values_supported": &m.IDTokenSigningAlgValuesSupported, "claims_supported": &m.ClaimsSupported,
		"uma_profiles_supported": &m.UMAProfilesSupported,
	} {
		if *field, _, err = o.Strings(name); err != nil {
			return Metadata{}, err
		}
	}
	for _, s := range scopes {
		m.ScopesSupported = append(m.ScopesSupported, Scope(s))
	}
	for name, field := range map[string]*bool{
		"authorization_response_iss_parameter_supported": &m.AuthorizationResponseIssParameterSupported,
		"tls_client_certificate_bound_access_tokens":     &m.CertificateBoundAccessTokens,
		"require_pushed_authorization_requests":          &m.RequirePushedAuthorizationRequests,
		"backchannel_logout_supported":                   &m.BackchannelLogoutSupported,
		"backchannel_logout_session_supported":           &m.BackchannelLogoutSessionSupported,
	} {
		if *field, _, err = o.Bool(name); err != nil {
			return Metadata{}, err
		}
	}
	if m.MTLSEndpointAliases, err = o.aliases(); err != nil {
		return Metadata{}, err
	}
	if issuer == "" || m.Issuer != issuer {
		return Metadata{}, NewError(InvalidRequest, "The discovery document speaks for another issuer.")
	}
	if m.TokenEndpoint == "" {
		return Metadata{}, NewError(InvalidRequest, "The discovery document has no token_endpoint.")
	}
	return m, nil
}
