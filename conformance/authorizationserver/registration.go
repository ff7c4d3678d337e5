package authorizationserver

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/licet/licet/conformance/internal/trial"
)

var registrationChecks = []check{
	{"GRANT-2-09", "M", "If the AS offers dynamic client registration it accepts client metadata for claims redirection", registersClaimsRedirects},
	{"GRANT-2-10", "O", "`claims_redirect_uris` (array, one or more) is optional metadata", registersWithoutClaimsRedirects},
}

// enrol registers a client with claims redirection URIs, or none, which it then has.
// The client is deleted again where that can be done.
func (s *session) enrol(t *trial.Trial, uris []string) {
	uri, _ := s.metadata["registration_endpoint"].(string)
	if uri == "" {
		t.Skip("the server does not offer dynamic client registration")
	}
	said := map[string]any{"client_name": "Conformance suite", "grant_types": []string{umaGrant}, "response_types": []string{}, "token_endpoint_auth_method": "client_secret_basic"}
	if uris != nil {
		said["claims_redirect_uris"] = uris
	}
	body, _ := json.Marshal(said)
	h := http.Header{"Content-Type": {"application/json"}}
	if s.InitialAccessToken != "" {
		h.Set("Authorization", "Bearer "+s.InitialAccessToken)
	}
	m := s.call(t, "a new client", http.MethodPost, uri, h, string(body))
	if s.InitialAccessToken == "" && (m.Status == http.StatusUnauthorized || m.Status == http.StatusForbidden) {
		t.Skip("the fixture has no initial_access_token, and the server registers nobody without")
	}
	o := object(t, m)
	if m.Status != http.StatusCreated || text(o, "client_id") == "" {
		t.Fault(one(m), "the client is not registered: %d", m.Status)
	}
	if own, token := text(o, "registration_client_uri"), text(o, "registration_access_token"); own != "" && token != "" {
		if gone := s.call(t, "a new client", http.MethodDelete, own, bearer(token), ""); gone.Status != http.StatusNoContent {
			t.Fault(one(gone), "the client cannot be deleted: %d", gone.Status)
		}
	}
	list, _ := o["claims_redirect_uris"].([]any)
	var got []string
	for _, v := range list {
		uri, _ := v.(string)
		got = append(got, uri)
	}
	if !slices.Equal(got, uris) {
		t.Fault(one(m), "claims_redirect_uris is %v, and was %v", o["claims_redirect_uris"], uris)
	}
}

func registersClaimsRedirects(s *session, t *trial.Trial) {
	s.enrol(t, []string{"https://suite.example/claims"})
	s.enrol(t, []string{"https://suite.example/claims", "https://suite.example/claims?x=1"})
}

func registersWithoutClaimsRedirects(s *session, t *trial.Trial) { s.enrol(t, nil) }
