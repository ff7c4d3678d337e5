package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What everybody comes by who comes here: signing in, saying yes to an application,
// saying who one is, and leaving.

// signIn fills in the form of the page that the visitor is at.
func (v *visitor) signIn(who person) {
	v.t.Helper()
	v.write("#email", who.Email)
	v.write("#password", who.Password)
	v.follow("#sign-in")
}

func TestSigningInAndOut(t *testing.T) {
	journey(t, everyWay, func(v *visitor) {
		anna := v.place.fixture.Owners["anna"]
		v.open("/sign-in")
		v.look("before signing in")
		v.signIn(person{anna.Email, "not Anna's password", ""})
		v.want("#problem", "#email[aria-invalid]")
		v.look("a wrong password")
		v.signIn(anna)
		v.wantAt("/app/")
		v.open("/sign-out")
		v.look("before signing out")
		v.follow("#sign-out")
		v.wantAt("/sign-out")
		v.look("signed out")
		v.open("/sign-in")
		v.want("#email")
	})
}

// A resource server wants to be allowed to protect Alice's things.
func TestSayingYesToAnApplication(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.open("/authorize?" + url.Values{
			"response_type": {"code"}, "client_id": {"rs1"}, "redirect_uri": {"https://rs1.example/callback"},
			"scope": {"uma_protection"}, "state": {"xyz"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}.Encode())
		v.look("sign in first")
		v.signIn(v.place.fixture.Owners["alice"])
		v.want("#consent")
		v.look("an application asks")
		v.follow("#allow")
		if q := v.wantAt("https://rs1.example/callback"); q.Get("code") == "" || q.Get("state") != "xyz" {
			t.Errorf("the application was told %v", q)
		}
	})
}

// Bob's application went for a photo and sends him here to say who he is. He takes a
// moment to notice that he is here with somebody else's account.
func TestSayingWhoOneIs(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.open(v.place.knock(t))
		v.look("sign in first")
		v.signIn(v.place.fixture.RequestingParties["carlos"])
		v.want("#visit", "#released")
		v.look("what is told")
		v.follow("#switch")
		v.look("another account")
		v.signIn(v.place.fixture.RequestingParties["bob"])
		v.press("#remember")
		v.look("remembered")
		v.follow("#allow")
		if q := v.wantAt("https://c1.example/claims"); q.Get("ticket") == "" || q.Get("state") != "xyz" {
			t.Errorf("the application was told %v", q)
		}
	})
}

// knock makes an application of Bob's go for a photo of Alice's that is his to see,
// and returns the address to which it sends him.
func (p *place) knock(t *testing.T) string {
	t.Helper()
	return p.knockAt(t, p.photo(t, "Sunrise"), "none")
}

// knockAt does so for a photo, which is his to see ("none") or to ask for ("ask"): the
// approval of the share.
func (p *place) knockAt(t *testing.T, photo, approval string) string {
	t.Helper()
	f := p.fixture
	p.post(t, strings.TrimPrefix(f.PolicyEndpoint, f.Issuer), f.PolicyTokens["alice"], map[string]any{
		"resource_id": photo, "resource_scopes": []string{"view", "download"}, "approval": approval,
		"required_claims": []map[string]string{{"name": "email", "value": f.RequestingParties["bob"].Email}},
	}, &struct{}{})
	return p.knockFor(t, photo)
}

// knockFor makes the application go for a photo.
func (p *place) knockFor(t *testing.T, photo string) string {
	t.Helper()
	var ticket struct{ Ticket string }
	p.post(t, "/uma/permission", p.fixture.PATs["alice@rs1"], map[string]any{"resource_id": photo, "resource_scopes": []string{"view", "download"}}, &ticket)
	refused := p.redeem(t, ticket.Ticket)
	return refused.Redirect + "?" + url.Values{
		"client_id": {"c1"}, "ticket": {refused.Ticket}, "claims_redirect_uri": {"https://c1.example/claims"}, "state": {"xyz"},
	}.Encode()
}

// refusal is what an application is told that does not get in yet.
type refusal struct {
	Error    string `json:"error"`
	Ticket   string `json:"ticket"`
	Redirect string `json:"redirect_user"`
}

// redeem makes the application show a ticket, with which it does not get in.
func (p *place) redeem(t *testing.T, ticket string) (r refusal) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.fixture.Issuer+"/token", strings.NewReader(url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:uma-ticket"}, "ticket": {ticket},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(p.fixture.Clients["c1"].ID, p.fixture.Clients["c1"].Secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	send(t, req, http.StatusForbidden, &r)
	return r
}

// photo is a new photo of Alice's at one of her services.
func (p *place) photo(t *testing.T, name string) (id string) {
	t.Helper()
	var made struct {
		ID string `json:"_id"`
	}
	p.post(t, "/uma/resources", p.fixture.PATs["alice@rs1"],
		map[string]any{"name": name, "type": "photo", "resource_scopes": []string{"view", "download"}}, &made)
	return made.ID
}

// post makes something at a path, with a token.
func (p *place) post(t *testing.T, path, token string, description, to any) {
	t.Helper()
	body, err := json.Marshal(description)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, p.fixture.Issuer+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	send(t, req, http.StatusCreated, to)
}

func send(t *testing.T, req *http.Request, status int, to any) {
	t.Helper()
	req.Close = true // no connection outlives the test
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d\n%s", req.Method, req.URL, resp.Status, status, b.Bytes())
	}
	if err := json.Unmarshal(b.Bytes(), to); err != nil {
		t.Fatalf("%s: %v", b.Bytes(), err)
	}
}

func TestAWrongTurnIsToldKindly(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.open("/authorize?client_id=nobody")
		v.want("#error", "#message")
		v.look("a link that leads nowhere")
		v.open("/authorize?client_id=rs1&redirect_uri=https%3A%2F%2Felsewhere.example%2F")
		v.look("an address that is not the application's")
	})
}

// The language is chosen at the foot of any page, and stays.
func TestTheLanguageIsChosen(t *testing.T) {
	for _, w := range taken(everyWay) {
		if w.language != "" || w.pseudo {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			v := visit(t).visitor(t, w)
			v.open("/sign-in")
			choose := func(language string) {
				v.pick("#language", language)
				v.follow("#language-form button")
				v.wantAt("/sign-in")
			}
			for _, language := range []string{"fr", "es", "ar", "de"} {
				choose(language)
				v.way.language = language
				v.look("in " + language)
			}
			v.open("/sign-out")
			v.look("still in German")
		})
	}
}
