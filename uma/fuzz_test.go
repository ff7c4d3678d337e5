package uma

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// Each parser of the door is fed anything at all. None may panic, and what it
// accepts it accepts again when it is written and read once more.

func FuzzParseForm(f *testing.F) {
	f.Add("grant_type=x&ticket=a%20b&x=")
	f.Add("a=1&a=2")
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := ParseQuery(raw)
		if err != nil {
			return
		}
		values := url.Values{}
		for name, value := range form {
			values.Set(name, value)
		}
		again, err := ParseQuery(values.Encode())
		if len(values.Encode()) <= MaxForm && (err != nil || !reflect.DeepEqual(form, again)) {
			t.Fatalf("%v, read again %v (%v)", form, again, err)
		}
	})
}

func FuzzParseObject(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"x",null]},"A":true}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := ParseObject(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("accepted what is no JSON: %q", raw)
		}
		for name := range o {
			_, _, _ = o.String(name)
			_, _, _ = o.Strings(name)
			_, _, _ = o.Objects(name)
			_, _, _ = o.Int64(name)
			_, _, _ = o.Bool(name)
		}
	})
}

func FuzzParseResourceDescription(f *testing.F) {
	f.Add([]byte(`{"resource_scopes":["a"],"name#de":"x","icon_uri":"https://x.example/","y":[1 , 2]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := ParseObject(bytes.NewReader(raw))
		if err != nil {
			return
		}
		d, err := ParseResourceDescription(o)
		if err != nil {
			return
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again ResourceDescription
		if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(d.Scopes, again.Scopes) || d.Name != again.Name {
			t.Fatalf("%s: read again %+v (%v)", text, again, err)
		}
	})
}

func FuzzParsePermissionRequest(f *testing.F) {
	f.Add([]byte(`[{"resource_id":"a","resource_scopes":["x"]},{"resource_id":"a","resource_scopes":[]}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := ParsePermissionRequest(bytes.NewReader(raw))
		if err != nil {
			return
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePermissionRequest(bytes.NewReader(text))
		if len(text) <= MaxJSON && (err != nil || !reflect.DeepEqual(list, again)) {
			t.Fatalf("%s: read again %v (%v)", text, again, err)
		}
	})
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(`UMA realm="a\"b", as_uri="https://as.example", ticket="t"`, "Bearer x")
	f.Add(`Bearer realm="x", uma AS_URI=y,ticket=z`, "")
	f.Fuzz(func(t *testing.T, a, b string) {
		c, ok := ParseChallenge([]string{a, b})
		if !ok {
			return
		}
		for _, s := range []string{c.Realm, c.ASURI, string(c.Ticket)} {
			if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
				return // cannot be written into a header
			}
		}
		if again, ok := ParseChallenge([]string{c.String()}); !ok || !strings.HasSuffix(c.ASURI, wellKnownUMA) && again != c {
			t.Fatalf("%+v, read again %+v %v", c, again, ok)
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://as.example","token_endpoint":"x","scopes_supported":["a"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := ParseMetadata(bytes.NewReader(raw), "https://as.example"); err == nil && m.Issuer != "https://as.example" {
			t.Fatalf("it speaks for %q", m.Issuer)
		}
	})
}

func FuzzParseIntrospection(f *testing.F) {
	f.Add([]byte(`{"active":true,"exp":1,"permissions":[{"resource_id":"a","resource_scopes":["x"],"exp":2}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := ParseIntrospection(bytes.NewReader(raw))
		if err != nil {
			return
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseIntrospection(bytes.NewReader(text))
		if len(text) <= MaxJSON && (err != nil || again.Active != in.Active || len(again.Permissions) != len(in.Permissions)) {
			t.Fatalf("%s: read again %+v (%v)", text, again, err)
		}
	})
}

func FuzzParseTokenRequest(f *testing.F) {
	f.Add("ticket=t&claim_token=c&claim_token_format=f&scope=a+b")
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := ParseQuery(raw)
		if err != nil {
			return
		}
		req, err := ParseTokenRequest(form)
		if err == nil && (req.Ticket == "" || (req.ClaimToken == "") != (req.ClaimTokenFormat == "")) {
			t.Fatalf("accepted %+v", req)
		}
	})
}

func FuzzParseAnswers(f *testing.F) {
	f.Add([]byte(`{"error":"need_info","ticket":"t","required_claims":[{"name":"n"}]}`))
	f.Add([]byte(`{"access_token":"a","token_type":"Bearer"}`))
	f.Add([]byte(`["a","b"]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := ParseTokenResponse(bytes.NewReader(raw)); err == nil && r.AccessToken == "" {
			t.Fatal("a token response without a token")
		}
		if e, err := ParseErrorResponse(bytes.NewReader(raw)); err == nil && e.Error == "" {
			t.Fatal("an error response without an error")
		}
		if ids, err := ParseResourceIDs(bytes.NewReader(raw), 3); err == nil && len(ids) > 3 {
			t.Fatal("more ids than wanted")
		}
		_, _ = ParseTicketResponse(bytes.NewReader(raw))
		_, _ = ParseRegisteredResource(bytes.NewReader(raw))
	})
}
