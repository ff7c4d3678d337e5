package uma

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// isInvalidRequest says whether an error is what the door answers.
func isInvalidRequest(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == InvalidRequest && e.Description != ""
}

// Proves GEN-1.1-01, SEC-096.
func TestAFormIsReadStrictly(t *testing.T) {
	form, err := ParseQuery("a=1&b=&Ticket=x&c=%C3%A9+z&&d")
	if err != nil || !reflect.DeepEqual(form, Form{"a": "1", "Ticket": "x", "c": "é z"}) {
		t.Errorf("read %v (%v)", form, err)
	}
	for _, raw := range []string{
		"a=1&a=2", "a=1&a=1", "a=&a=1", "a=%zz", "a=%ff", "a=%00", "a;b=1", "a=1;b=2", "=x", strings.Repeat("a=1&", 300),
		"x=" + strings.Repeat("a", MaxForm),
	} {
		if _, err := ParseQuery(raw); !isInvalidRequest(err) {
			t.Errorf("%.40q is read (%v)", raw, err)
		}
	}
	_, err = ParseForm(strings.NewReader("x=" + strings.Repeat("a", MaxForm)))
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("a form over the limit: %v", err)
	}
}

// Proves GEN-1.1-01, FED-3.2-09, SEC-113.
func TestJSONIsReadStrictly(t *testing.T) {
	nested := func(n int) string {
		return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	for _, good := range []string{`{}`, ` {"a":1,"A":2} `, `{"a":{"b":{"c":[1,null,"x"]}}}`, nested(MaxDepth - 1)} {
		if _, err := ParseObject(strings.NewReader(good)); err != nil {
			t.Errorf("%.60s: %v", good, err)
		}
	}
	for _, bad := range []string{
		``, `[]`, `null`, `"x"`, `{`, `{"a":1}{}`, `{"a":1} x`, `{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `{"x":{"a":1,"a":2}}`, `{"x":[{"a":1,"a":2}]}`,
		"{\"a\":\"\xff\"}", "\ufeff{}", `{'a':1}`, `{a:1}`, `{"a":01}`, `{"a":1,}`, nested(MaxDepth), `{"a":"` + strings.Repeat("x", MaxJSON) + `"}`,
	} {
		if _, err := ParseObject(strings.NewReader(bad)); !isInvalidRequest(err) {
			t.Errorf("%.60s is read (%v)", bad, err)
		}
	}
}

func TestAMemberOfAWrongTypeIsNotAbsent(t *testing.T) {
	o, err := ParseObject(strings.NewReader(`{"s":"x","n":1,"b":true,"l":["a"],"o":[{}],"null":null,"mixed":["a",1],"nulls":[null],"f":1.5}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"s", "n", "b", "l", "o", "null", "mixed", "nulls", "f", "absent"} {
		_, inS, errS := o.String(name)
		_, inL, errL := o.Strings(name)
		_, inN, errN := o.Int64(name)
		_, inB, errB := o.Bool(name)
		_, inO, errO := o.Objects(name)
		for kind, got := range map[string]struct {
			in  bool
			err error
		}{"s": {inS, errS}, "l": {inL, errL}, "n": {inN, errN}, "b": {inB, errB}, "o": {inO, errO}} {
			if got.in != (name != "absent") || (got.err == nil) != (name == kind || name == "absent") {
				t.Errorf("%s read as %s: there %v, error %v", name, kind, got.in, got.err)
			}
		}
	}
	if err := o.OnlyMembers("s", "n"); err == nil {
		t.Error("unknown members pass")
	}
}

// Proves FED-3.1-02, FED-3.1-03, FED-3.1-05.
func TestADescriptionIsKeptAsItWasSent(t *testing.T) {
	const text = `{"resource_scopes":["view","https://rs.example/print","view"],"name":"N","name#de":"Ñ","description":"D","icon_uri":"https://i.example/x","type":"t","x":[1, {"y":null}],"_id":"evil","user_access_policy_uri":"https://evil.example"}`
	o, err := ParseObject(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseResourceDescription(o)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(d.Scopes, []Scope{"view", "https://rs.example/print"}) || d.Name != "N" || d.Type != "t" || d.IconURI != "https://i.example/x" || d.Description != "D" {
		t.Errorf("read %+v", d)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "evil") || !strings.Contains(string(raw), `"x":[1,{"y":null}]`) || !strings.Contains(string(raw), "Ñ") {
		t.Errorf("kept as %s", raw)
	}
	var again ResourceDescription
	if err := json.Unmarshal(raw, &again); err != nil || !reflect.DeepEqual(again, d) {
		t.Errorf("read back %+v (%v)", again, err)
	}
}

func TestScopesAreWhatCanBeRequested(t *testing.T) {
	for text, want := range map[string][]Scope{"": {}, "a": {"a"}, "a  b a": {"a", "b"}, "https://x/y#z": {"https://x/y#z"}} {
		if got, err := ParseScope(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %v (%v)", text, got, err)
		}
	}
	for _, bad := range []string{`a"b`, `a\b`, "a\tb", "é", "a\x7f", strings.Repeat("x", 2000)} {
		if _, err := ParseScope(bad); err == nil {
			t.Errorf("%.20q is a scope", bad)
		}
	}
	if JoinScopes([]Scope{"a", "b"}) != "a b" || JoinScopes(nil) != "" {
		t.Error("scopes are joined otherwise")
	}
}

// Proves FED-4.1-01, FED-4.1-02, FED-4.1-03.
func TestAPermissionRequestIsOneOrMany(t *testing.T) {
	for text, want := range map[string][]Permission{
		`{"resource_id":"a","resource_scopes":["x","x"]}`: {{"a", []Scope{"x"}}}, `[{"resource_id":"a","resource_scopes":[]}]`: {{"a", []Scope{}}},
		`[{"resource_id":"a","resource_scopes":["x"]},{"resource_id":"b","resource_scopes":["y"]},{"resource_id":"a","resource_scopes":["z"]}]`: {{"a", []Scope{"x", "z"}}, {"b", []Scope{"y"}}},
	} {
		if got, err := ParsePermissionRequest(strings.NewReader(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v (%v)", text, got, err)
		}
	}
	many := strings.Repeat(`{"resource_id":"a","resource_scopes":[]},`, MaxPermissions)
	if _, err := ParsePermissionRequest(strings.NewReader("[" + strings.TrimSuffix(many, ",") + "]")); err != nil {
		t.Errorf("as many as allowed: %v", err)
	}
	for _, bad := range []string{`[]`, `[[]]`, `{}`, `{"resource_id":"a"}`, `{"resource_scopes":[]}`, `{"resource_id":1,"resource_scopes":[]}`, `{"resource_id":"a","resource_scopes":null}`, "[" + many + `{"resource_id":"a","resource_scopes":[]}]`} {
		if _, err := ParsePermissionRequest(strings.NewReader(bad)); !isInvalidRequest(err) {
			t.Errorf("%.60s is read (%v)", bad, err)
		}
	}
	for want, p := range map[string]Permission{`{"resource_id":"a","resource_scopes":[]}`: {Resource: "a"}, `{"resource_id":"a","resource_scopes":["x"]}`: {"a", []Scope{"x"}}} {
		if raw, err := json.Marshal(p); err != nil || string(raw) != want {
			t.Errorf("written as %s (%v)", raw, err)
		}
	}
}

// Proves GRANT-3.3.1-02, GRANT-3.3.1-04, GRANT-3.3.1-05, GRANT-3.3.1-10.
func TestATokenRequestHasATicketAndPairs(t *testing.T) {
	req, err := ParseTokenRequest(Form{"ticket": "t", "claim_token": "c", "claim_token_format": "f", "pct": "p", "rpt": "r", "scope": "a b"})
	want := TokenRequest{Ticket: "t", ClaimToken: "c", ClaimTokenFormat: "f", PCT: "p", RPT: "r", Scopes: []Scope{"a", "b"}}
	if err != nil || !reflect.DeepEqual(req, want) {
		t.Errorf("read %+v (%v)", req, err)
	}
	if req, err := ParseTokenRequest(Form{"ticket": "t"}); err != nil || req.Scopes != nil {
		t.Errorf("without scope: %v %v", req.Scopes, err)
	}
	for _, bad := range []Form{{}, {"Ticket": "t"}, {"ticket": "t", "claim_token": "c"}, {"ticket": "t", "claim_token_format": "f"}} {
		if _, err := ParseTokenRequest(bad); !isInvalidRequest(err) {
			t.Errorf("%v is read (%v)", bad, err)
		}
	}
}
