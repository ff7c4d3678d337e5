package uma_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/licet/licet/uma"
)

// What is accepted means the same when it is written and read again, and never
// has anything twice. What is refused is refused in the protocol's words.

func FuzzParseForm(f *testing.F) {
	for _, raw := range []string{"", "a=1&b=2", "a=&b", "a=1&a=2", "a=%41+%2B&%62=", "a=%00", "a=%ff", "a;b=1", "&&a=1&", "=1", "a==b=", "a=%4", "\xff=1"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := uma.ParseForm(strings.NewReader(raw))
		if err != nil {
			refused(t, raw, err, uma.InvalidRequest)
			return
		}
		values := url.Values{}
		for name, value := range form {
			if name == "" || value == "" || !utf8.ValidString(name+value) || strings.ContainsRune(name+value, 0) {
				t.Errorf("%q has the parameter %q=%q", raw, name, value)
			}
			values.Set(name, value)
			if name == "resource" { // which may come several times (RFC 8707 2)
				continue
			}
			_, err := uma.ParseQuery(raw + "&" + url.QueryEscape(name))
			refused(t, name+" twice", err, uma.InvalidRequest)
		}
		if again, err := uma.ParseQuery(values.Encode()); len(values.Encode()) <= uma.MaxForm && (err != nil || !maps.Equal(again, form)) {
			t.Errorf("%q: encoded and parsed again: %v and the error %v, was %v", raw, again, err, form)
		}
	})
}

// documents are seeds for every parser of JSON.
var documents = []string{
	"", "{}", "[]", "null", `{"a":1,"a":2}`, `{"a":[{"b":1,"\u0062":2}]}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":"\u0000"}`, "{\"a\":\"\xff\"}",
	"\ufeff{}", "{} {}", `{"a":1,}`, `[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, ` { "a" : [ 1.50 , -0 , 1e400 , true , null , "<&>" ] } `,
}

func FuzzParseObject(f *testing.F) {
	for _, raw := range documents {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := uma.ParseObject(bytes.NewReader(raw))
		if err != nil {
			refused(t, string(raw), err, uma.InvalidRequest)
			if o != nil {
				t.Errorf("%q: an object came with the error", raw)
			}
			return
		}
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatalf("%q is accepted", raw)
		}
		again := object(t, written(t, o))
		if !reflect.DeepEqual(meaning(t, []byte(written(t, again))), meaning(t, raw)) {
			t.Errorf("%q became %v", raw, again)
		}
		// The same with a member twice, here and one level down.
		for name := range o {
			twice := "{" + written(t, name) + ":0," + string(bytes.TrimSpace(raw))[1:]
			_, err := uma.ParseObject(strings.NewReader(twice))
			refused(t, twice, err, uma.InvalidRequest)
			_, err = uma.ParseArray(strings.NewReader("[" + twice + "]"))
			refused(t, "["+twice+"]", err, uma.InvalidRequest)
		}
		_, err = uma.ParseArray(strings.NewReader(strings.Repeat("[", uma.MaxDepth) + string(raw) + strings.Repeat("]", uma.MaxDepth)))
		refused(t, "too deep", err, uma.InvalidRequest)
	})
}

func FuzzParseResourceDescription(f *testing.F) {
	for _, raw := range append(documents,
		`{"resource_scopes":["view","view","https://s.example/"],"name":"n","name#de":"<m>","description":"d","icon_uri":"https://i.example/","type":"t","x":[{}],"_id":"x"}`,
		`{"resource_scopes":[],"icon_uri":"javascript:x"}`, `{"resource_scopes":[""]}`) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := uma.ParseObject(bytes.NewReader(raw))
		if err != nil {
			return
		}
		d, err := uma.ParseResourceDescription(o)
		if err != nil {
			refused(t, string(raw), err, uma.InvalidRequest)
			return
		}
		distinct(t, d.Scopes)
		if d.Members["_id"] != nil || d.Members["user_access_policy_uri"] != nil {
			t.Errorf("%s: kept what is not the sender's to say", raw)
		}
		var again uma.ResourceDescription
		if err := json.Unmarshal([]byte(written(t, d)), &again); err != nil {
			if len(written(t, d)) > uma.MaxJSON {
				return // written with more escapes than it was sent
			}
			t.Fatalf("%s: written and read again: %v", raw, err)
		}
		sent := maps.Clone(o)
		delete(sent, "_id")
		delete(sent, "user_access_policy_uri")
		if !reflect.DeepEqual(meaning(t, []byte(written(t, again))), meaning(t, []byte(written(t, sent)))) {
			t.Errorf("%s became %s", raw, written(t, again))
		}
		if again.Members, d.Members = nil, nil; !reflect.DeepEqual(again, d) {
			t.Errorf("%s: the fields became %#v, were %#v", raw, again, d)
		}
	})
}

// distinct checks that scopes are valid and that none is there twice.
func distinct(t *testing.T, scopes []uma.Scope) {
	t.Helper()
	if scopes == nil || len(scopes) > 256 {
		t.Errorf("the scopes are %q", scopes)
	}
	for i, s := range scopes {
		if !s.Valid() || slices.Contains(scopes[:i], s) {
			t.Errorf("the scope %q in %q", s, scopes)
		}
	}
}

func FuzzParsePermissionRequest(f *testing.F) {
	for _, raw := range append(documents, `{"resource_id":"a","resource_scopes":["view","view"],"x":1}`,
		`[{"resource_id":"a","resource_scopes":[]},{"resource_id":"b","resource_scopes":["view"]},{"resource_id":"a","resource_scopes":["edit"]}]`) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := uma.ParsePermissionRequest(bytes.NewReader(raw))
		if err != nil {
			refused(t, string(raw), err, uma.InvalidRequest)
			return
		}
		if len(list) == 0 || len(list) > uma.MaxPermissions {
			t.Errorf("%s has %d permissions", raw, len(list))
		}
		seen := map[uma.ResourceID]bool{}
		for _, p := range list {
			distinct(t, p.Scopes)
			if p.Resource == "" || seen[p.Resource] {
				t.Errorf("%s has the resource %q", raw, p.Resource)
			}
			seen[p.Resource] = true
		}
		again, err := uma.ParsePermissionRequest(strings.NewReader(written(t, list)))
		if len(written(t, list)) <= uma.MaxJSON && (err != nil || !reflect.DeepEqual(again, list)) {
			t.Errorf("%s: written and read again: %v and the error %v", raw, again, err)
		}
	})
}

func FuzzParseTokenRequest(f *testing.F) {
	for _, raw := range []string{"", "ticket=t", "ticket=t&claim_token=c", "ticket=t&claim_token=c&claim_token_format=f&pct=p&rpt=r&scope=a+b+a",
		"ticket=t&scope=+", "ticket=t&scope=%22", "Ticket=t", "ticket=&ticket=t"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := uma.ParseQuery(raw)
		if err != nil {
			return
		}
		r, err := uma.ParseTokenRequest(form)
		if err != nil {
			if form["ticket"] != "" && (form["claim_token"] == "") == (form["claim_token_format"] == "") {
				refused(t, raw, err, uma.InvalidScope)
			} else {
				refused(t, raw, err, uma.InvalidRequest)
			}
			return
		}
		if r.Ticket == "" || (r.ClaimToken == "") != (r.ClaimTokenFormat == "") {
			t.Errorf("%q became %#v", raw, r)
		}
		if r.Scopes != nil {
			distinct(t, r.Scopes)
		}
		again, err := uma.ParseTokenRequest(uma.Form{"ticket": string(r.Ticket), "claim_token": r.ClaimToken, "claim_token_format": r.ClaimTokenFormat,
			"pct": string(r.PCT), "rpt": string(r.RPT), "scope": uma.JoinScopes(r.Scopes)})
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%q: put together and read again: %#v and the error %v", raw, again, err)
		}
	})
}

func FuzzParseScope(f *testing.F) {
	for _, raw := range []string{"", " ", "a", "a b a", "a  b ", `a"`, "é", "https://s.example/?a=b#c"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		scopes, err := uma.ParseScope(raw)
		if err != nil {
			refused(t, raw, err, uma.InvalidScope)
			return
		}
		distinct(t, scopes)
		if again, err := uma.ParseScope(uma.JoinScopes(scopes)); err != nil || !slices.Equal(again, scopes) {
			t.Errorf("%q: joined and read again: %q and the error %v", raw, again, err)
		}
		for _, word := range strings.Split(raw, " ") {
			if word != "" && !slices.Contains(scopes, uma.Scope(word)) {
				t.Errorf("%q lost %q", raw, word)
			}
		}
	})
}

func FuzzParseChallenge(f *testing.F) {
	for _, raw := range []string{"", "UMA", `UMA realm="r", as_uri="https://as.example", ticket="t"`, `Bearer realm="x, UMA as_uri=\"y\"", UMA as_uri=z ticket=t`,
		`uma AS_URI = "a\"b\\c" , ticket="`, `UMA as_uri=a/.well-known/uma2-configuration,ticket=t=,==`, `="x"`, "UMA as_uri=\"\x00\x7f\xff\", ticket=\t"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, ok := uma.ParseChallenge([]string{raw})
		if !ok {
			if c != (uma.Challenge{}) {
				t.Errorf("%q is none, and is %#v", raw, c)
			}
			return
		}
		if c.ASURI == "" || c.Ticket == "" {
			t.Errorf("%q is a challenge without all that it needs", raw)
		}
		if second, ok := uma.ParseChallenge([]string{`Bearer realm="x"`, raw}); !ok || second != c {
			t.Errorf("%q is another one behind another header", raw)
		}
		if writable(c) {
			if again, ok := uma.ParseChallenge([]string{c.String()}); !ok || again != c {
				t.Errorf("%q: written and read again: %q", raw, again.String())
			}
		}
	})
}

// What our resource servers write our clients read, also among other challenges.
func FuzzChallengeIsReadAsItIsWritten(f *testing.F) {
	f.Add("r", "https://as.example/t/a", "t")
	f.Add(`"\`, "https://as.example/, UMA x=", `\", as_uri="`)
	f.Add("", "é", "\xff")
	f.Fuzz(func(t *testing.T, realm, asURI, ticket string) {
		want := uma.Challenge{Realm: realm, ASURI: asURI, Ticket: uma.Ticket(ticket)}
		if asURI == "" || ticket == "" || !writable(want) {
			return
		}
		for _, value := range []string{want.String(), `Bearer realm="x", error=y, ` + want.String() + `, Basic realm="z"`, "Negotiate YQ==, " + want.String()} {
			if got, ok := uma.ParseChallenge([]string{value}); !ok || got != want {
				t.Errorf("%q is read as %q, %q, %q", value, got.Realm, got.ASURI, string(got.Ticket))
			}
		}
	})
}

// writable says whether a challenge can stand in a header as it is.
func writable(c uma.Challenge) bool {
	all := c.Realm + c.ASURI + string(c.Ticket)
	return len(all) < 10_000 && !strings.HasSuffix(c.ASURI, "/.well-known/uma2-configuration") &&
		!strings.ContainsFunc(all, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func FuzzParseMetadata(f *testing.F) {
	for _, raw := range append(documents, `{"issuer":"https://as.example","token_endpoint":"https://as.example/token","response_types_supported":[],"x":1}`,
		`{"issuer":"https://as.example","token_endpoint":"t","scopes_supported":["a","a"],"authorization_response_iss_parameter_supported":true}`) {
		f.Add([]byte(raw), "https://as.example")
	}
	f.Fuzz(func(t *testing.T, raw []byte, issuer string) {
		m, err := uma.ParseMetadata(bytes.NewReader(raw), issuer)
		if err != nil {
			refused(t, string(raw), err, uma.InvalidRequest)
			return
		}
		if m.Issuer != issuer || issuer == "" || m.TokenEndpoint == "" {
			t.Errorf("%s is accepted for the issuer %q", raw, issuer)
		}
		readAgain(t, m, func(raw []byte) (uma.Metadata, error) { return uma.ParseMetadata(bytes.NewReader(raw), issuer) })
		if urls := uma.MetadataURLs(issuer); len(urls) == 0 || len(urls) > 2 || !strings.HasPrefix(urls[0], strings.TrimSuffix(issuer, "/")) {
			t.Errorf("the document of %q is at %q", issuer, urls)
		}
	})
}

// readAgain checks that what was read is written so that it is read the same
// once more.
func readAgain[T any](t *testing.T, v T, parse func([]byte) (T, error)) {
	t.Helper()
	first := written(t, v)
	if len(first) > uma.MaxJSON {
		return
	}
	again, err := parse([]byte(first))
	if err != nil {
		t.Fatalf("%s is written, and not read: %v", first, err)
	}
	if second := written(t, again); second != first {
		t.Errorf("%s, read and written again, is %s", first, second)
	}
}

func FuzzParseIntrospection(f *testing.F) {
	for _, raw := range append(documents, `{"active":false,"sub":"s"}`, `{"active":true,"scope":"a","exp":2,"iat":1,"nbf":1}`, `{"active":true,"permissions":[]}`,
		`{"active":true,"permissions":[{"resource_id":"a","resource_scopes":["v","v"],"exp":9223372036854775807,"iat":-1}],"x":1}`) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := uma.ParseIntrospection(bytes.NewReader(raw))
		if err != nil {
			refused(t, string(raw), err, uma.InvalidRequest)
			return
		}
		if !in.Active && !reflect.DeepEqual(in, uma.Introspection{}) {
			t.Errorf("%s is not active, and says %+v", raw, in)
		}
		for _, p := range in.Permissions {
			distinct(t, p.Scopes)
			if at := now; in.Permits(p.Resource, p.Scopes, at) && (in.ExpiresAt != 0 && at.Unix() >= in.ExpiresAt) {
				t.Errorf("%s permits something after its end", raw)
			}
			if in.Permits(p.Resource, append(p.Scopes[:len(p.Scopes):len(p.Scopes)], "no scope"), now) {
				t.Errorf("%s permits what it does not say", raw)
			}
		}
		if in.Permits("\x00", nil, time.Unix(0, 0)) {
			t.Errorf("%s permits what no _id can be", raw)
		}
		readAgain(t, in, func(raw []byte) (uma.Introspection, error) { return uma.ParseIntrospection(bytes.NewReader(raw)) })
	})
}

func FuzzParseAnswers(f *testing.F) {
	for _, raw := range append(documents, `{"access_token":"a","token_type":"Bearer","expires_in":1,"upgraded":true,"pct":"p"}`,
		`{"error":"need_info","ticket":"t","required_claims":[{"issuer":[],"name":"n"}],"interval":-1}`, `{"ticket":"t"}`, `{"_id":"a"}`) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer(t, raw, uma.TokenResponse{}, func(raw []byte) (uma.TokenResponse, error) { return uma.ParseTokenResponse(bytes.NewReader(raw)) })
		answer(t, raw, uma.ErrorResponse{}, func(raw []byte) (uma.ErrorResponse, error) { return uma.ParseErrorResponse(bytes.NewReader(raw)) })
		answer(t, raw, uma.TicketResponse{}, func(raw []byte) (uma.TicketResponse, error) { return uma.ParseTicketResponse(bytes.NewReader(raw)) })
		answer(t, raw, uma.RegisteredResource{}, func(raw []byte) (uma.RegisteredResource, error) {
			return uma.ParseRegisteredResource(bytes.NewReader(raw))
		})
	})
}

func answer[T any](t *testing.T, raw []byte, zero T, parse func([]byte) (T, error)) {
	t.Helper()
	v, err := parse(raw)
	if err != nil {
		if refused(t, string(raw), err, uma.InvalidRequest); !reflect.DeepEqual(v, zero) {
			t.Errorf("%s: a value came with the error", raw)
		}
		return
	}
	readAgain(t, v, parse)
}

func FuzzParseResourceIDs(f *testing.F) {
	for _, raw := range append(documents, `["a","b"]`, `["a"]x`, `["a",]`, `[1]`, "[\"\xff\"]", ` [ "\u0061" , "a" ] `) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ids, err := uma.ParseResourceIDs(bytes.NewReader(raw), 100)
		if err != nil {
			if refused(t, string(raw), err, uma.InvalidRequest); ids != nil {
				t.Errorf("%s: a list came with the error", raw)
			}
			return
		}
		if !json.Valid(raw) || !utf8.Valid(raw) || len(ids) > 100 {
			t.Errorf("%q is accepted", raw)
		}
		readAgain(t, ids, func(raw []byte) ([]uma.ResourceID, error) { return uma.ParseResourceIDs(bytes.NewReader(raw), 100) })
	})
}
