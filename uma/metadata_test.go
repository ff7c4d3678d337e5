package uma_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// Proves AMB-01.
func TestDiscoveryDocumentIsLookedForBehindTheIssuerFirst(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://as.example":          {"https://as.example/.well-known/uma2-configuration"},
		"https://as.example/":         {"https://as.example/.well-known/uma2-configuration"},
		"https://as.example:8443":     {"https://as.example:8443/.well-known/uma2-configuration"},
		"https://as.example/t/acme":   {"https://as.example/t/acme/.well-known/uma2-configuration", "https://as.example/.well-known/uma2-configuration/t/acme"},
		"https://as.example/t/acme/":  {"https://as.example/t/acme/.well-known/uma2-configuration", "https://as.example/.well-known/uma2-configuration/t/acme"},
		"https://as.example/t%2Facme": {"https://as.example/t%2Facme/.well-known/uma2-configuration", "https://as.example/.well-known/uma2-configuration/t%2Facme"},
	} {
		if got := uma.MetadataURLs(issuer); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", issuer, got)
		}
	}
}

const issuer = "https://as.example/t/acme"

// Proves GRANT-2-04, SEC-086.
func TestDocumentOfAnotherIssuerIsRefused(t *testing.T) {
	document := func(issuer string) string {
		return fmt.Sprintf(`{"issuer":%q,"token_endpoint":"https://as.example/token"}`, issuer)
	}
	if m, err := uma.ParseMetadata(strings.NewReader(document(issuer)), issuer); err != nil || m.Issuer != issuer {
		t.Fatalf("got %v and the error %v", m, err)
	}
	for _, other := range []string{
		"", issuer + "/", issuer + " ", "https://as.example/t/acm", "https://as.example/t/Acme", "http://as.example/t/acme",
		"https://AS.example/t/acme", "https://as.example:443/t/acme", "https://as.example/t/%61cme", "https://evil.example/t/acme", issuer + "?", issuer + "#",
	} {
		m, err := uma.ParseMetadata(strings.NewReader(document(other)), issuer)
		refused(t, other, err, uma.InvalidRequest)
		if !reflect.DeepEqual(m, uma.Metadata{}) {
			t.Errorf("%s: a document came with the error", other)
		}
	}
	_, err := uma.ParseMetadata(strings.NewReader(`{"token_endpoint":"https://as.example/token"}`), "")
	refused(t, "no issuer, and none is asked for", err, uma.InvalidRequest)
	_, err = uma.ParseMetadata(strings.NewReader(`{"issuer":"`+issuer+`"}`), issuer)
	refused(t, "no token_endpoint", err, uma.InvalidRequest)
}

// Proves GEN-1.1-02, GEN-1.1-03.
func TestUnknownMembersOfADiscoveryDocumentAreIgnored(t *testing.T) {
	m, err := uma.ParseMetadata(strings.NewReader(`{"issuer":"`+issuer+`","x_foo":[{"a":null}],"Token_endpoint":7,"token_endpoint":"https://as.example/token",
		"op_policy_uri":"https://as.example/policy","uma_profiles_supported":["https://profiles.example/1"]}`), issuer)
	want := uma.Metadata{Issuer: issuer, TokenEndpoint: "https://as.example/token", UMAProfilesSupported: []string{"https://profiles.example/1"}}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v and the error %v", m, err)
	}
}

// Every member that a server can write is one that a client reads, under the
// name that the specifications and their registries give it.
func TestEveryMemberOfTheDiscoveryDocumentIsReadAsItIsWritten(t *testing.T) {
	m := uma.Metadata{}
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch f := v.Field(i); f.Interface().(type) {
		case string:
			f.SetString("the " + name)
		case []string:
			f.Set(reflect.ValueOf([]string{"a " + name, "another"}))
		case []uma.Scope:
			f.Set(reflect.ValueOf([]uma.Scope{"a", "another"}))
		case map[string]string:
			f.Set(reflect.ValueOf(map[string]string{"token_endpoint": "an " + name}))
		case bool:
			f.SetBool(true)
		default:
			t.Fatalf("%s is of a type that this test does not know", name)
		}
	}
	raw := written(t, m)
	got, err := uma.ParseMetadata(strings.NewReader(raw), m.Issuer)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("wrote\n%s\nread %+v and the error %v", raw, got, err)
	}
	want := strings.Fields(`authorization_endpoint authorization_response_iss_parameter_supported backchannel_logout_session_supported backchannel_logout_supported claims_interaction_endpoint claims_supported
		code_challenge_methods_supported dpop_signing_alg_values_supported end_session_endpoint grant_types_supported id_token_signing_alg_values_supported introspection_endpoint
		introspection_endpoint_auth_methods_supported issuer jwks_uri mtls_endpoint_aliases permission_endpoint permission_requests_endpoint policy_endpoint pushed_authorization_request_endpoint
		registered_resources_endpoint registration_endpoint require_pushed_authorization_requests resource_registration_endpoint response_modes_supported response_types_supported
		revocation_endpoint revocation_endpoint_auth_methods_supported scopes_supported service_documentation subject_types_supported tls_client_certificate_bound_access_tokens
		token_endpoint token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported uma_profiles_supported userinfo_endpoint`)
	var names []string
	for name := range object(t, raw) {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("the members are\n%q\nand not\n%q", names, want)
	}
}

func TestMemberOfAnotherTypeSpoilsTheDiscoveryDocument(t *testing.T) {
	m := map[string]any{"issuer": issuer, "token_endpoint": "https://as.example/token"}
	v := reflect.TypeFor[uma.Metadata]()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Field(i).Tag.Get("json"), ",")
		was, had := m[name]
		for _, wrong := range []any{nil, 7, map[string]any{"x": 7}, []any{7}, []any{nil}} {
			m[name] = wrong
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = uma.ParseMetadata(strings.NewReader(string(raw)), issuer)
			refused(t, string(raw), err, uma.InvalidRequest)
		}
		if delete(m, name); had {
			m[name] = was
		}
	}
}
