package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The fixture has every member that its format names, and each of them works.
func TestTheFixtureIsCompleteAndWorks(t *testing.T) {
	out, in := io.Pipe()
	start(t, in, nil, "dev", "--json", "--listen", "127.0.0.1:0")
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	format, err := os.ReadFile("../../docs/reference/fixture-format.md")
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if !strings.Contains(string(format), "`"+name) {
			t.Errorf("the fixture format does not speak of %s", name)
		}
	}
	var f struct {
		Issuer            string
		Owners            map[string]struct{ Email, Password, Space string }
		RequestingParties map[string]struct{ Email, Password string } `json:"requesting_parties"`
		ResourceServers   map[string]clientFixture                    `json:"resource_servers"`
		PATs              map[string]string
		Clients           map[string]clientFixture
		ClaimsProvider    struct {
			Issuer string
			JWK    json.RawMessage
		} `json:"claims_provider"`
		PolicyEndpoint   string            `json:"policy_endpoint"`
		RequestsEndpoint string            `json:"requests_endpoint"`
		PolicyTokens     map[string]string `json:"policy_tokens"`
	}
	if err := json.Unmarshal(line, &f); err != nil {
		t.Fatal(err)
	}
	call := func(method, to, authorization, contentType, body string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequest(method, to, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		_ = json.Unmarshal(raw, &answer) // a list is none, and its status says enough
		return resp.StatusCode, answer
	}
	const inJSON, inForm = "application/json", "application/x-www-form-urlencoded"

	// What signs made-up people in is in the demonstration alone.
	if status, _ := call(http.MethodPost, f.Issuer+"/demo/sign-in", "", inForm, "key="); status != http.StatusNotFound {
		t.Errorf("the demonstration's way in is here, too: %d", status)
	}

	for _, key := range []string{"alice@rs1", "anna@rs1", "alice@rs2"} {
		if status, answer := call(http.MethodPost, f.Issuer+"/uma/resources", "Bearer "+f.PATs[key], inJSON, `{"resource_scopes":["view"]}`); status != http.StatusCreated {
			t.Errorf("the PAT %s: %d %v", key, status, answer)
		}
	}
	for _, name := range []string{"alice", "anna"} {
		if f.Owners[name].Space == "" || f.Owners[name].Password == "" {
			t.Errorf("%s is %+v", name, f.Owners[name])
		}
		for _, endpoint := range []string{f.PolicyEndpoint, f.RequestsEndpoint} {
			if status, _ := call(http.MethodGet, endpoint, "Bearer "+f.PolicyTokens[name], inJSON, ""); status != http.StatusOK {
				t.Errorf("%s's policy token at %s: %d", name, endpoint, status)
			}
		}
	}
	if f.Clients["c1"].Scope != "view download" || len(f.Clients["c1"].ClaimsRedirectURIs) != 1 || len(f.Clients["c2"].ClaimsRedirectURIs) < 2 || f.Clients["public"].Secret != "" {
		t.Errorf("the clients are %+v", f.Clients)
	}

	// A pushed ID token of the claims provider about Bob is worth a permission.
	pat := "Bearer " + f.PATs["alice@rs1"]
	_, resource := call(http.MethodPost, f.Issuer+"/uma/resources", pat, inJSON, `{"resource_scopes":["view"]}`)
	id := resource["_id"].(string)
	bob := f.RequestingParties["bob"].Email
	if status, answer := call(http.MethodPost, f.PolicyEndpoint, "Bearer "+f.PolicyTokens["alice"], inJSON,
		`{"resource_id":"`+id+`","resource_scopes":["view"],"required_claims":[{"name":"email","value":"`+bob+`"}]}`); status != http.StatusCreated {
		t.Fatalf("a policy: %d %v", status, answer)
	}
	key, err := oauth.ParsePrivate(f.ClaimsProvider.JWK)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range f.Clients {
		_, ticket := call(http.MethodPost, f.Issuer+"/uma/permission", pat, inJSON, `{"resource_id":"`+id+`","resource_scopes":["view"]}`)
		token, err := oauth.Sign(key, "JWT", oauth.IDTokenClaims{
			Issuer: f.ClaimsProvider.Issuer, Subject: "bob", Audience: string(c.ID), Email: bob, EmailVerified: true,
			IssuedAt: time.Now().Unix(), ExpiresAt: time.Now().Add(time.Minute).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"grant_type": {uma.GrantType}, "ticket": {ticket["ticket"].(string)}, "claim_token": {token}, "claim_token_format": {uma.IDTokenFormat}, "client_id": {string(c.ID)}}
		if c.Secret != "" {
			form.Set("client_secret", c.Secret)
		}
		if status, answer := call(http.MethodPost, f.Issuer+"/token", "", inForm, form.Encode()); status != http.StatusOK || answer["access_token"] == nil {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}

// For people the fixture is told in several lines.
func TestWithoutJSONTheFixtureIsForPeople(t *testing.T) {
	out, in := io.Pipe()
	start(t, in, nil, "dev")
	text := make([]byte, 200)
	n, err := io.ReadAtLeast(out, text, 60)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if !bytes.HasPrefix(text[:n], []byte("A throw-away authorization server is up at http://127.0.0.1:")) {
		t.Errorf("it says %s", text[:n])
	}
}
