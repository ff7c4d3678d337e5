package uma

// Metadata is the discovery document: authorization server metadata (RFC 8414)
// with the members of the two UMA specifications (Grant 2, FedAuthz 2) and of
// our policy manager.
type Metadata struct {
	Issuer                                     string   `json:"issuer"`
	AuthorizationEndpoint                      string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint                              string   `json:"token_endpoint"`
	JWKSURI                                    string   `json:"jwks_uri,omitempty"`
	RegistrationEndpoint                       string   `json:"registration_endpoint,omitempty"`
	IntrospectionEndpoint                      string   `json:"introspection_endpoint,omitempty"`
	RevocationEndpoint                         string   `json:"revocation_endpoint,omitempty"`
	UserInfoEndpoint                           string   `json:"userinfo_endpoint,omitempty"`
	ScopesSupported                            []Scope  `json:"scopes_supported,omitempty"`
	ResponseTypesSupported                     []string `json:"response_types_supported"`
	ResponseModesSupported                     []string `json:"response_modes_supported,omitempty"`
	GrantTypesSupported                        []string `json:"grant_types_supported,omitempty"`
	TokenEndpointAuthMethodsSupported          []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	RevocationEndpointAuthMethodsSupported     []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	IntrospectionEndpointAuthMethodsSupported  []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	CodeChallengeMethodsSupported              []string `json:"code_challenge_methods_supported,omitempty"`
	AuthorizationResponseIssParameterSupported bool     `json:"authorization_response_iss_parameter_supported,omitempty"`
	SubjectTypesSupported                      []string `json:"subject_types_supported,omitempty"`
	IDTokenSigningAlgValuesSupported           []string `json:"id_token_signing_alg_values_supported,omitempty"`
	ClaimsSupported                            []string `json:"claims_supported,omitempty"`
	ServiceDocumentation                       string   `json:"service_documentation,omitempty"`

	ClaimsInteractionEndpoint    string   `json:"claims_interaction_endpoint,omitempty"`
	UMAProfilesSupported         []string `json:"uma_profiles_supported,omitempty"`
	PermissionEndpoint           string   `json:"permission_endpoint,omitempty"`
	ResourceRegistrationEndpoint string   `json:"resource_registration_endpoint,omitempty"`

	PolicyEndpoint              string `json:"policy_endpoint,omitempty"`
	RegisteredResourcesEndpoint string `json:"registered_resources_endpoint,omitempty"`
	PermissionRequestsEndpoint  string `json:"permission_requests_endpoint,omitempty"`
}
