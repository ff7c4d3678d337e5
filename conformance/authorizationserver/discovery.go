package authorizationserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
)

var discoveryChecks = []check{
	{"GRANT-2-01", "M", "Publish a discovery document", func(s *session, t *trial.Trial) {
		if kind := s.document.Answer.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			t.Fault(one(s.document), "the document is %q", kind)
		}
	}},
	{"GRANT-2-03", "M", "Its URL is the issuer value with `/.well-known/uma2-configuration` appended", func(s *session, t *trial.Trial) {
		if s.document.Path() == "" || s.document.Status != http.StatusOK {
			t.Fault(one(s.document), "at that URL the answer is %d", s.document.Status)
		}
	}},
	{"FED-1.5-01", "M", "protection endpoints are declared in the discovery document", func(s *session, t *trial.Trial) {
		for _, member := range []string{"permission_endpoint", "resource_registration_endpoint", "introspection_endpoint"} {
			s.at(t, member)
		}
	}},
	{"GRANT-2-02", "M", "Its structure is that of OAuth AS metadata (RFC 8414)", func(s *session, t *trial.Trial) {
		for _, member := range []string{"issuer", "token_endpoint"} {
			if _, ok := s.metadata[member].(string); !ok {
				t.Fault(one(s.document), "%s is missing or no string", member)
			}
		}
		for _, member := range []string{"grant_types_supported", "token_endpoint_auth_methods_supported", "uma_profiles_supported"} {
			v, there := s.metadata[member]
			if _, ok := v.([]any); there && !ok {
				t.Fault(one(s.document), "%s is no array", member)
			}
		}
	}},
	{"GRANT-2-04", "M", "`issuer` in the body equals the issuer used to build the URL, character by character", func(s *session, t *trial.Trial) {
		if s.metadata["issuer"] != s.Issuer {
			t.Fault(one(s.document), "the issuer is %v, want %s", s.metadata["issuer"], s.Issuer)
		}
	}},
	{"GRANT-2-08", "S", "grant_types_supported names the UMA grant", func(s *session, t *trial.Trial) {
		list, _ := s.metadata["grant_types_supported"].([]any)
		if !slices.Contains(list, any(umaGrant)) {
			t.Fault(one(s.document), "grant_types_supported is %v", s.metadata["grant_types_supported"])
		}
	}},
	{"FED-2-01", "M", "`permission_endpoint`", declared("permission_endpoint")},
	{"FED-2-02", "M", "`resource_registration_endpoint`", declared("resource_registration_endpoint")},
	{"FED-2-03", "M", "`introspection_endpoint` if introspection as in this spec is supported", declared("introspection_endpoint")},
	{"FED-1.3-01", "M", "TLS on the protection API (BCP 195)", func(s *session, t *trial.Trial) {
		for _, member := range []string{"permission_endpoint", "resource_registration_endpoint", "introspection_endpoint", "token_endpoint"} {
			uri := s.at(t, member)
			loopback := strings.HasPrefix(uri, "http://127.0.0.1") || strings.HasPrefix(uri, "http://[::1]") || strings.HasPrefix(uri, "http://localhost")
			if !strings.HasPrefix(uri, "https://") && !loopback {
				t.Fault(one(s.document), "%s is %s", member, uri)
			}
		}
	}},
	{"SEC-071", "M", "The discovery document is the same for everybody, and reading it changes nothing", func(s *session, t *trial.Trial) {
		m := s.call(t, "anybody", http.MethodGet, strings.TrimSuffix(s.Issuer, "/")+"/.well-known/uma2-configuration", bearer("x"), "")
		if m.AnswerBody != s.document.AnswerBody {
			t.Fault(one(m), "with a token the document is another")
		}
	}},
}

func declared(member string) func(*session, *trial.Trial) {
	return func(s *session, t *trial.Trial) {
		if uri := s.at(t, member); !strings.Contains(uri, "://") || strings.Contains(uri, "#") {
			t.Fault(one(s.document), "%s is %q", member, uri)
		}
	}
}
