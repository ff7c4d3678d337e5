package uma_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// answers are the parsers of what an authorization server answers, as functions
// of one form.
var answers = map[string]func(io.Reader) (any, error){
	"token":         func(r io.Reader) (any, error) { return both(uma.ParseTokenResponse(r)) },
	"error":         func(r io.Reader) (any, error) { return both(uma.ParseErrorResponse(r)) },
	"ticket":        func(r io.Reader) (any, error) { return both(uma.ParseTicketResponse(r)) },
	"resource":      func(r io.Reader) (any, error) { return both(uma.ParseRegisteredResource(r)) },
	"introspection": func(r io.Reader) (any, error) { return both(uma.ParseIntrospection(r)) },
	"claim": func(r io.Reader) (any, error) {
		o, err := uma.ParseObject(r)
		if err != nil {
			return nil, err
		}
		return both(uma.ParseRequiredClaim(o))
	},
	"list": func(r io.Reader) (any, error) {
		ids, err := uma.ParseResourceIDs(r, 3)
		if err != nil && ids == nil {
			return nil, err
		}
		return ids, err
	},
}

// both turns a zero value that comes with an error into nil.
func both[T any](v T, err error) (any, error) {
	if err != nil && reflect.ValueOf(v).IsZero() {
		return nil, err
	}
	return v, err
}

// Proves GEN-1.1-03, GEN-1.1-02.
func TestAnswersAreReadAndUnknownMembersIgnored(t *testing.T) {
	for _, a := range []struct {
		kind, raw string
		want      any
	}{
		{"token", `{"access_token":"rpt","token_type":"Bearer"}`, uma.TokenResponse{AccessToken: "rpt", TokenType: "Bearer"}},
		{"token", `{"access_token":"rpt","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"a b","id_token":"i","pct":"p","upgraded":true,
			"x_foo":null,"Upgraded":"yes","ticket":7}`,
			uma.TokenResponse{AccessToken: "rpt", TokenType: "Bearer", ExpiresIn: 3600, RefreshToken: "r", Scope: "a b", IDToken: "i", PCT: "p", Upgraded: true}},
		{"token", `{"access_token":"rpt","token_type":"Bearer","upgraded":false}`, uma.TokenResponse{AccessToken: "rpt", TokenType: "Bearer"}},
		{"error", `{"error":"invalid_grant"}`, uma.ErrorResponse{Error: uma.InvalidGrant}},
		{"error", `{"error":"request_submitted","ticket":"t","interval":5,"error_description":"d","error_uri":"u","status":403,"x_foo":{}}`,
			uma.ErrorResponse{Error: uma.RequestSubmittedCode, Ticket: "t", Interval: 5, ErrorDescription: "d", ErrorURI: "u"}},
		{"error", `{"error":"need_info","ticket":"t","redirect_user":"https://as.example/c?id=1","required_claims":[{},{"claim_type":"ct","friendly_name":"fn",
			"name":"n","claim_token_format":["f","g"],"issuer":["https://i.example"],"x_foo":1}]}`,
			uma.ErrorResponse{Error: uma.NeedInfoCode, Ticket: "t", RedirectUser: "https://as.example/c?id=1", RequiredClaims: []uma.RequiredClaim{{},
				{ClaimType: "ct", FriendlyName: "fn", Name: "n", ClaimTokenFormat: []string{"f", "g"}, Issuer: []string{"https://i.example"}}}}},
		{"ticket", `{"ticket":"t","x_foo":1}`, uma.TicketResponse{Ticket: "t"}},
		{"resource", `{"_id":"a","name":7,"resource_scopes":"whatever"}`, uma.RegisteredResource{ID: "a"}},
		{"resource", `{"_id":"a","user_access_policy_uri":"https://as.example/a"}`, uma.RegisteredResource{ID: "a", UserAccessPolicyURI: "https://as.example/a"}},
		{"introspection", `{"active":false,"scope":7,"permissions":null}`, uma.Introspection{}},
		{"introspection", `{"active":true,"scope":"a b","sub":"s","client_id":"c","iss":"i","token_type":"Bearer","exp":3,"iat":1,"nbf":2,"aud":["x"],"x_foo":1}`,
			uma.Introspection{Active: true, Scope: "a b", Subject: "s", ClientID: "c", Issuer: "i", TokenType: "Bearer", ExpiresAt: 3, IssuedAt: 1, NotBefore: 2}},
		{"introspection", `{"active":true,"permissions":[]}`, uma.Introspection{Active: true, Permissions: []uma.IntrospectedPermission{}}},
		{"introspection", `{"active":true,"permissions":[{"resource_id":"a","resource_scopes":["v","v","e"],"exp":3,"iat":1,"nbf":2,"x_foo":1},{"resource_id":"b","resource_scopes":[]}]}`,
			uma.Introspection{Active: true, Permissions: []uma.IntrospectedPermission{
				{Resource: "a", Scopes: []uma.Scope{"v", "e"}, ExpiresAt: 3, IssuedAt: 1, NotBefore: 2}, {Resource: "b", Scopes: []uma.Scope{}}}}},
		{"list", ` [ "a" , "b\u0062" ] `, []uma.ResourceID{"a", "bb"}},
		{"list", `["a","b","c"]`, []uma.ResourceID{"a", "b", "c"}},
		{"list", `[]`, []uma.ResourceID{}},
	} {
		got, err := answers[a.kind](strings.NewReader(a.raw))
		if err != nil || !reflect.DeepEqual(got, a.want) {
			t.Errorf("%s %s: got %#v and the error %v", a.kind, a.raw, got, err)
		}
	}
}

func TestMalformedAnswersAreRefused(t *testing.T) {
	for kind, raws := range map[string][]string{
		"token": {`{}`, `{"access_token":"x"}`, `{"token_type":"Bearer"}`, `{"access_token":"","token_type":"Bearer"}`, `{"access_token":7,"token_type":"Bearer"}`,
			`{"access_token":"x","token_type":"Bearer","upgraded":"true"}`, `{"access_token":"x","token_type":"Bearer","upgraded":1}`,
			`{"access_token":"x","token_type":"Bearer","expires_in":"3600"}`, `{"access_token":"x","token_type":"Bearer","expires_in":1.5}`,
			`{"access_token":"x","token_type":"Bearer","pct":null}`, `{"access_token":"x","token_type":"Bearer","refresh_token":{}}`,
			`{"access_token":"x","access_token":"y","token_type":"Bearer"}`},
		"error": {`{}`, `{"error":""}`, `{"error":7}`, `{"error":null}`, `{"ticket":"t"}`, `{"error":"need_info","ticket":["t"]}`,
			`{"error":"need_info","required_claims":{}}`, `{"error":"need_info","required_claims":["email"]}`, `{"error":"need_info","required_claims":[null]}`,
			`{"error":"need_info","required_claims":[{"claim_token_format":"one"}]}`, `{"error":"need_info","required_claims":[{"issuer":[7]}]}`,
			`{"error":"need_info","required_claims":[{"name":["n"]}]}`, `{"error":"request_submitted","interval":"5"}`, `{"error":"need_info","redirect_user":true}`},
		"ticket":   {`{}`, `{"ticket":""}`, `{"ticket":7}`, `{"ticket":null}`, `{"Ticket":"t"}`, `["t"]`},
		"resource": {`{}`, `{"_id":""}`, `{"_id":7}`, `{"id":"a"}`, `{"_id":"a","user_access_policy_uri":7}`},
		"introspection": {`{}`, `{"active":"true"}`, `{"active":1}`, `{"active":null}`, `{"Active":true}`, `{"active":true,"active":true}`,
			`{"active":true,"sub":7}`, `{"active":true,"exp":"3"}`, `{"active":true,"exp":1.5}`, `{"active":true,"exp":0}`, `{"active":true,"exp":-1}`,
			`{"active":true,"permissions":null}`, `{"active":true,"permissions":{}}`, `{"active":true,"permissions":[7]}`,
			`{"active":true,"permissions":[{"resource_id":"a"}]}`, `{"active":true,"permissions":[{"resource_scopes":[]}]}`,
			`{"active":true,"permissions":[{"resource_id":"a","resource_scopes":null}]}`, `{"active":true,"permissions":[{"resource_id":"a","resource_scopes":"v"}]}`,
			`{"active":true,"permissions":[{"resource_id":"a","resource_scopes":["v"],"exp":0}]}`,
			`{"active":true,"permissions":[{"resource_id":"a","resource_scopes":["v"],"exp":true}]}`,
			`{"active":true,"permissions":[{"resource_id":"a","resource_scopes":["v"],"nbf":"1"}]}`},
		"claim": {`{"claim_token_format":"one"}`, `{"claim_type":["a"]}`, `{"friendly_name":null}`, `{"issuer":"one"}`, `{"name":7}`},
		"list": {``, `{}`, `null`, `"a"`, `[7]`, `[null]`, `["a",["b"]]`, `[""]`, `["a"`, `["a",]`, `["a"]x`, `["a"]["b"]`, `["a","b","c","d"]`,
			"[\"\xff\"]", `["\ud800"]`, `["\u0000"]`, `["` + strings.Repeat("x", 1025) + `"]`, "\ufeff[]"},
	} {
		for _, raw := range raws {
			v, err := answers[kind](strings.NewReader(raw))
			refused(t, kind+" "+raw, err, uma.InvalidRequest)
			if v != nil {
				t.Errorf("%s %.100s: a value came with the error: %v", kind, raw, v)
			}
		}
		for _, raw := range []string{``, `null`, `x`, `<html>`} {
			_, err := answers[kind](strings.NewReader(raw))
			refused(t, kind+" "+raw, err, uma.InvalidRequest)
		}
	}
}

// An owner may have more resources than a document of another kind has room
// for; what is held in memory is still bounded.
func TestListOfResourcesMayBeLongAndIsBounded(t *testing.T) {
	var want []uma.ResourceID
	var b strings.Builder
	for i := range 50_000 {
		want = append(want, uma.ResourceID(fmt.Sprintf("resource-%d", i)))
		fmt.Fprintf(&b, `,"resource-%d"`, i)
	}
	raw := "[" + b.String()[1:] + "]"
	if len(raw) < 2*uma.MaxJSON {
		t.Fatal("the list is too short to show anything")
	}
	got, err := uma.ParseResourceIDs(strings.NewReader(raw), len(want))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d ids and the error %v", len(got), err)
	}
	_, err = uma.ParseResourceIDs(strings.NewReader(raw), len(want)-1)
	if refused(t, "one too many", err, uma.InvalidRequest); !errors.Is(err, uma.ErrTooLarge) {
		t.Errorf("one too many: %v is no ErrTooLarge", err)
	}
	endless := &counting{from: io.MultiReader(strings.NewReader(`["`), endless('x'))}
	_, err = uma.ParseResourceIDs(endless, 1000)
	if refused(t, "an endless id", err, uma.InvalidRequest); endless.n > 2<<20 {
		t.Errorf("%d bytes of an endless id were read", endless.n)
	}
}

// Proves GRANT-3.3.6-11, GRANT-3.3.6-12.
func TestRequiredClaimsAreWrittenWithTheirTypes(t *testing.T) {
	got := written(t, uma.ErrorResponse{Error: uma.NeedInfoCode, Ticket: "t", RequiredClaims: []uma.RequiredClaim{{}, {
		ClaimTokenFormat: []string{uma.IDTokenFormat}, ClaimType: "ct", FriendlyName: "fn", Issuer: []string{"https://i.example"}, Name: "n",
	}}})
	want := `{"error":"need_info","ticket":"t","required_claims":[{},{"claim_token_format":["` + uma.IDTokenFormat +
		`"],"claim_type":"ct","friendly_name":"fn","issuer":["https://i.example"],"name":"n"}]}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
