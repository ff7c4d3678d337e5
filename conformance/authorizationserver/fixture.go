package authorizationserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Fixture is what the suite has to know of the server: docs/reference/fixture-format.md.
type Fixture struct {
	Issuer            string             `json:"issuer"`
	Owners            map[string]Person  `json:"owners"`
	RequestingParties map[string]Person  `json:"requesting_parties"`
	ResourceServers   map[string]Program `json:"resource_servers"`
	PATs              map[string]string  `json:"pats"`
	Clients           map[string]Program `json:"clients"`
	ClaimsProvider    struct {
		Issuer string `json:"issuer"`
		JWK    struct {
			KeyID string `json:"kid"`
			Curve string `json:"crv"`
			X     string `json:"x"`
			Y     string `json:"y"`
			D     string `json:"d"`
		} `json:"jwk"`
	} `json:"claims_provider"`
	PolicyEndpoint   string            `json:"policy_endpoint"`
	RequestsEndpoint string            `json:"requests_endpoint"`
	PolicyTokens     map[string]string `json:"policy_tokens"`
	// InitialAccessToken registers clients, where the server has it; "" for none.
	InitialAccessToken string `json:"initial_access_token"`

	key *ecdsa.PrivateKey
}

// Person is somebody with an account.
type Person struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Program is a client of the server.
type Program struct {
	ID                 string   `json:"client_id"`
	Secret             string   `json:"client_secret"`
	RedirectURIs       []string `json:"redirect_uris"`
	ClaimsRedirectURIs []string `json:"claims_redirect_uris"`
	Scope              string   `json:"scope"`
}

// Load reads a fixture and tells all that is missing in it.
func Load(file string) (Fixture, error) {
	var f Fixture
	raw, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	if err := f.check(); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	return f, nil
}

func (f *Fixture) check() error {
	var faults []error
	missing := func(what string, is bool) {
		if is {
			faults = append(faults, errors.New(what+" is missing"))
		}
	}
	missing("issuer", f.Issuer == "")
	for _, key := range []string{"alice@rs1", "anna@rs1", "alice@rs2"} {
		missing("pats."+key, f.PATs[key] == "")
	}
	for _, id := range []string{"c1", "c2", "public"} {
		missing("clients."+id, f.Clients[id].ID == "")
		missing("clients."+id+".claims_redirect_uris", len(f.Clients[id].ClaimsRedirectURIs) == 0)
	}
	missing("requesting_parties.bob", f.RequestingParties["bob"].Email == "")
	missing("requesting_parties.carlos", f.RequestingParties["carlos"].Email == "")
	missing("policy_endpoint", f.PolicyEndpoint == "")
	missing("policy_tokens.alice", f.PolicyTokens["alice"] == "")
	missing("claims_provider.issuer", f.ClaimsProvider.Issuer == "")
	var err error
	if f.key, err = f.privateKey(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func (f *Fixture) privateKey() (*ecdsa.PrivateKey, error) {
	k := f.ClaimsProvider.JWK
	if k.Curve != "P-256" {
		return nil, errors.New("claims_provider.jwk has to be a key of the curve P-256")
	}
	d, err := base64.RawURLEncoding.DecodeString(k.D)
	if err != nil {
		return nil, fmt.Errorf("claims_provider.jwk: d: %w", err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		return nil, fmt.Errorf("claims_provider.jwk: %w", err)
	}
	return key, nil
}
