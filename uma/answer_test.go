package uma

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Proves SEC-011.
func TestSecretsPrintAsFingerprints(t *testing.T) {
	const secret = "s3cr3t-value"
	for _, v := range []any{Ticket(secret), RPT(secret), PCT(secret), PAT(secret), []Ticket{secret}, TokenRequest{Ticket: secret, PCT: secret, RPT: secret}} {
		for _, verb := range []string{"%v", "%s", "%q", "%+v", "%#v", "%x", "%X"} {
			printed := fmt.Sprintf(verb, v)
			if strings.Contains(printed, secret) || strings.Contains(strings.ToLower(printed), fmt.Sprintf("%x", secret)) {
				t.Errorf("%T under %s prints %s", v, verb, printed)
			}
		}
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", fmt.Sprint(v))
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
		if strings.Contains(b.String(), secret) {
			t.Errorf("%T in a log: %s", v, b.String())
		}
	}
	if Fingerprint("a") == Fingerprint("b") || Fingerprint("") != "(none)" {
		t.Error("fingerprints do not tell secrets apart")
	}
}

// Proves GRANT-C-3.3-01, GRANT-3.2.1-04.
func TestAChallengeIsFoundHoweverItIsWritten(t *testing.T) {
	want := Challenge{ASURI: "https://as.example", Ticket: "t1"}
	for _, values := range [][]string{
		{`UMA as_uri="https://as.example", ticket="t1"`}, {`uma TICKET=t1,AS_URI=https://as.example`}, {`UMA as_uri = "https://as.example" , ticket = "t1"`},
		{`Bearer realm="x", error="invalid_token"`, `UMA as_uri="https://as.example", ticket="t1"`},
		{`Bearer realm="x, UMA ticket=no", UMA as_uri="https://as.example", ticket="t1", Basic realm="y"`},
		{`UMA as_uri="https://as.example/.well-known/uma2-configuration", host_id="h", ticket="t1"`}, {`UMA ticket="t1", as_uri="https:\/\/as.example", ticket="t2"`},
		{`UMA as_uri="https://other.example"`, `UMA as_uri="https://as.example", ticket="t1"`}, {`Negotiate`, `UMA as_uri="https://as.example",ticket="t1"`},
	} {
		if c, ok := ParseChallenge(values); !ok || c != want {
			t.Errorf("%q is %+v %v", values, c, ok)
		}
	}
	for _, values := range [][]string{nil, {``}, {`Bearer realm="x"`}, {`UMA`}, {`UMA ticket="t1"`}, {`UMA as_uri="x"`}, {`UMAX as_uri="x", ticket="y"`}, {`"UMA" as_uri=x, ticket=y`}, {`as_uri="x", ticket="y"`}, {`UMA as_uri="x" ticket`}} {
		if c, ok := ParseChallenge(values); ok {
			t.Errorf("%q is %+v", values, c)
		}
	}
	odd := Challenge{Realm: `a"b\c, UMA`, ASURI: "https://as.example/t?x=1,2", Ticket: "t1"}
	if c, ok := ParseChallenge([]string{odd.String()}); !ok || c != odd {
		t.Errorf("%s is read back as %+v", odd.String(), c)
	}
}

// Proves GRANT-2-03, GRANT-2-04, GEN-1.1-03, SEC-086.
func TestADiscoveryDocumentSpeaksForItsIssuerAlone(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://as.example":         {"https://as.example/.well-known/uma2-configuration"},
		"https://as.example/":        {"https://as.example/.well-known/uma2-configuration"},
		"https://as.example/t/acme":  {"https://as.example/t/acme/.well-known/uma2-configuration", "https://as.example/.well-known/uma2-configuration/t/acme"},
		"https://as.example/t/acme/": {"https://as.example/t/acme/.well-known/uma2-configuration", "https://as.example/.well-known/uma2-configuration/t/acme"},
	} {
		if got := MetadataURLs(issuer); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", issuer, got)
		}
	}
	m := Metadata{Issuer: "https://as.example", TokenEndpoint: "https://as.example/token", ScopesSupported: []Scope{"a"}, ResponseTypesSupported: []string{"code"}, UMAProfilesSupported: []string{"urn:x"}, AuthorizationResponseIssParameterSupported: true}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "{", `{"x_unknown":{"a":[1]},`, 1)
	if got, err := ParseMetadata(strings.NewReader(text), m.Issuer); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("read %+v (%v)", got, err)
	}
	for _, other := range []string{"https://as.example/", "https://AS.example", "http://as.example", "https://as.example.evil", ""} {
		if _, err := ParseMetadata(strings.NewReader(text), other); err == nil {
			t.Errorf("it speaks for %q", other)
		}
	}
	for _, bad := range []string{`[]`, `{"issuer":1}`, `{"issuer":"https://as.example","token_endpoint":[]}`, `{"issuer":"https://as.example","scopes_supported":"a"}`} {
		if _, err := ParseMetadata(strings.NewReader(bad), "https://as.example"); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// Proves GEN-1.1-03.
func TestAnswersAreReadWithMembersThatNobodyKnows(t *testing.T) {
	token, err := ParseTokenResponse(strings.NewReader(`{"access_token":"a","token_type":"Bearer","expires_in":5,"upgraded":true,"pct":"p","refresh_token":"r","x":{}}`))
	if err != nil || token.AccessToken != "a" || !token.Upgraded || token.PCT != "p" || token.ExpiresIn != 5 {
		t.Errorf("a token: %+v (%v)", token, err)
	}
	refusal, err := ParseErrorResponse(strings.NewReader(`{"error":"need_info","ticket":"t","required_claims":[{"name":"n","issuer":["i"],"claim_token_format":["f"],"x":1}],"redirect_user":"u","interval":7,"x":1}`))
	if err != nil || refusal.Ticket != "t" || refusal.RequiredClaims[0].Issuer[0] != "i" || refusal.Interval != 7 {
		t.Errorf("a refusal: %+v (%v)", refusal, err)
	}
	ids, err := ParseResourceIDs(strings.NewReader(`["a","b"]`), 2)
	if err != nil || len(ids) != 2 {
		t.Errorf("a list: %v (%v)", ids, err)
	}
	for name, err := range map[string]error{
		"a token without a type":             second(ParseTokenResponse(strings.NewReader(`{"access_token":"a"}`))),
		"upgraded as a text":                 second(ParseTokenResponse(strings.NewReader(`{"access_token":"a","token_type":"b","upgraded":"true"}`))),
		"a refusal without an error":         second(ParseErrorResponse(strings.NewReader(`{"ticket":"t"}`))),
		"required claims that are no list":   second(ParseErrorResponse(strings.NewReader(`{"error":"need_info","required_claims":{}}`))),
		"no ticket":                          second(ParseTicketResponse(strings.NewReader(`{}`))),
		"no _id":                             second(ParseRegisteredResource(strings.NewReader(`{"id":"x"}`))),
		"a list that is too long":            second(ParseResourceIDs(strings.NewReader(`["a","b","c"]`), 2)),
		"a list that breaks off":             second(ParseResourceIDs(strings.NewReader(`["a"`), 2)),
		"a list of numbers":                  second(ParseResourceIDs(strings.NewReader(`[1]`), 2)),
		"an introspection that does not say": second(ParseIntrospection(strings.NewReader(`{"scope":"x"}`))),
		"active as a text":                   second(ParseIntrospection(strings.NewReader(`{"active":"true"}`))),
		"a permission without scopes":        second(ParseIntrospection(strings.NewReader(`{"active":true,"permissions":[{"resource_id":"a"}]}`))),
	} {
		if err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAnIntrospectionIsWrittenAsItIsMeant(t *testing.T) {
	for want, in := range map[string]Introspection{
		`{"active":false}`: {Permissions: []IntrospectedPermission{{Resource: "a"}}, Scope: "x"}, `{"active":true,"permissions":[]}`: {Active: true, Permissions: []IntrospectedPermission{}},
		`{"active":true,"scope":"x"}`: {Active: true, Scope: "x"}, `{"active":true,"permissions":[{"resource_id":"a","resource_scopes":[]}]}`: {Active: true, Permissions: []IntrospectedPermission{{Resource: "a"}}},
	} {
		if raw, err := json.Marshal(in); err != nil || string(raw) != want {
			t.Errorf("written as %s, want %s (%v)", raw, want, err)
		}
	}
}

// Proves FED-5.1.1-07, SEC-056. All combinations of the times of the token and
// of the permission: the stricter one holds.
func TestTheStricterTimeHolds(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	past, future, far := now.Unix()-100, now.Unix()+100, now.Unix()+10_000
	for _, c := range []struct{ exp, nbf, iat int64 }{{}, {exp: past}, {exp: future}, {exp: now.Unix()}, {nbf: past}, {nbf: far}, {iat: far}, {exp: future, nbf: past, iat: past}} {
		for _, p := range []struct{ exp, nbf, iat int64 }{{}, {exp: past}, {exp: future}, {exp: now.Unix()}, {nbf: past}, {nbf: far}, {iat: far}, {exp: future, nbf: past, iat: past}} {
			in := Introspection{Active: true, ExpiresAt: c.exp, NotBefore: c.nbf, IssuedAt: c.iat, Permissions: []IntrospectedPermission{
				{Resource: "r", Scopes: []Scope{"view"}, ExpiresAt: p.exp, NotBefore: p.nbf, IssuedAt: p.iat}}}
			good := func(exp, nbf, iat int64) bool { return (exp == 0 || exp > now.Unix()) && nbf < far && iat < far }
			if got, want := in.Permits("r", []Scope{"view"}, now), good(c.exp, c.nbf, c.iat) && good(p.exp, p.nbf, p.iat); got != want {
				t.Errorf("token %+v, permission %+v: %v", c, p, got)
			}
		}
	}
}

// Proves SEC-056.
func TestEveryScopeHasToBePermittedOnTheVeryResource(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	in := Introspection{Active: true, Permissions: []IntrospectedPermission{
		{Resource: "a", Scopes: []Scope{"view"}}, {Resource: "b", Scopes: []Scope{"edit"}}, {Resource: "a", Scopes: []Scope{"print"}}, {Resource: "c"},
		{Resource: "a", Scopes: []Scope{"delete"}, ExpiresAt: now.Unix() - 1},
	}}
	for _, c := range []struct {
		id     ResourceID
		scopes []Scope
		want   bool
	}{
		{"a", []Scope{"view"}, true}, {"a", []Scope{"view", "print"}, true}, {"a", []Scope{"view", "edit"}, false}, {"a", []Scope{"delete"}, false},
		{"a", nil, true}, {"b", []Scope{"view"}, false}, {"c", nil, true}, {"c", []Scope{"view"}, false}, {"d", nil, false}, {"", nil, false},
	} {
		if got := in.Permits(c.id, c.scopes, now); got != c.want {
			t.Errorf("%s %v: %v", c.id, c.scopes, got)
		}
	}
	in.Active = false
	if in.Permits("a", []Scope{"view"}, now) {
		t.Error("an inactive token permits")
	}
}
