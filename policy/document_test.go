package policy

import (
	"net/mail"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

func parse(text string) (Share, error) {
	o, err := uma.ParseObject(strings.NewReader(text))
	if err != nil {
		return Share{}, err
	}
	return ParseDocument(o)
}

func TestADocumentSaysWhatItsShareSays(t *testing.T) {
	s, err := parse(`{"resource_id":"r","resource_scopes":["view"],"required_claims":[
		{"name":"email","value":"Bob@Example.com","issuer":["https://idp.example"],"claim_token_format":["f"],"friendly_name":"E-mail","claim_type":"t"},
		{"name":"role","values":["nurse","doctor"]}],
		"client_id":"c1","not_before":1767225600,"not_after":1769904000,"purpose":"care","approval":"ask","terms":"https://t.example/1"}`)
	if err != nil {
		t.Fatal(err)
	}
	want := Share{
		Resource: "r", Scopes: []uma.Scope{"view"}, Client: "c1", Purpose: "care", Terms: "https://t.example/1", Ask: true,
		NotBefore: time.Unix(1767225600, 0).UTC(), NotAfter: time.Unix(1769904000, 0).UTC(),
		Claims: []Claim{{
			RequiredClaim: uma.RequiredClaim{Name: "email", Issuer: []string{"https://idp.example"}, ClaimTokenFormat: []string{"f"}, FriendlyName: "E-mail", ClaimType: "t"},
			Values:        []string{"bob@example.com"},
		}, {RequiredClaim: uma.RequiredClaim{Name: "role"}, Values: []string{"nurse", "doctor"}}},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("read\n%+v, want\n%+v", s, want)
	}
}

func TestADocumentReadBackIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShare(t)
		s.ID = ""
		s.NotBefore, s.NotAfter = time.Time{}, rapid.SampledFrom([]time.Time{{}, noon}).Draw(t, "end")
		if s.Terms != "" {
			s.Terms = "https://t.example"
		}
		if s.Link {
			s.NotAfter = noon
		}
		if !s.Anyone && !s.named() {
			s.Anyone = true
		}
		if len(s.Claims) == 0 || s.Anyone {
			s.Claims = nil
		}
		if s.Scopes == nil {
			s.Scopes = []uma.Scope{}
		}
		for i := range s.Claims {
			if s.Claims[i].Name == "email" {
				s.Claims[i].Values = some(t, "addresses", "bob@example.com", "*@clinic.example")
			}
		}
		o, err := s.MarshalDocument()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDocument(o)
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("%v\nwrote %+v\nread  %+v", err, s, again)
		}
	})
}

// Proves SEC-128, SEC-033. What two people could read as the same address is
// refused; what is the same has one form.
func TestAnAddressHasOneForm(t *testing.T) {
	for spelt, want := range map[string]string{
		" Bob@Example.COM ": "bob@example.com", "bob+licet@example.com": "bob+licet@example.com",
		"b\u043eb@example.com": "", "bob\u200b@example.com": "", "bac\u212a@example.com": "", "b\u0130ll@example.com": "", "bob@ex\u202eample.com": "", "bob": "", "@example.com": "", "bob@": "", "Bob <bob@example.com>": "",
		"bob@example.com, eve@example.com": "", "bob @example.com": "", "bob@example.com\n": "bob@example.com", "\x00@example.com": "", strings.Repeat("a", 250) + "@example.com": "",
	} {
		got, err := CanonicalEmail(spelt)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q becomes %q (%v), want %q", spelt, got, err, want)
		}
		if again, err := CanonicalEmail(got); want != "" && (err != nil || again != got) {
			t.Errorf("%q is not stable: %q %v", got, again, err)
		}
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add(`{"resource_id":"r","resource_scopes":["view"],"anyone":true}`)
	f.Add(`{"resource_id":"r","resource_scopes":[],"required_claims":[{"name":"email","value":"*@x.example"}],"not_after":1}`)
	f.Add(`{"resource_id":"r","resource_scopes":[],"group_id":"g1"}`)
	f.Add(`{"resource_id":"r","resource_scopes":[],"link":true,"not_after":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil {
			return
		}
		if s.Anyone == s.named() || s.Link && s.NotAfter.IsZero() || s.Resource == "" {
			t.Fatalf("accepted: %+v", s)
		}
		o, err := s.MarshalDocument()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDocument(o)
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("%v\n%+v\n%+v", err, s, again)
		}
	})
}

func FuzzForbids(f *testing.F) {
	f.Add(`forbid (principal, action, resource) when { context.server.time > datetime("2026-01-01") };`)
	f.Add(`permit (principal, action, resource);`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := New(text)
		if err != nil {
			return
		}
		if v := e.Judge(nil, question(bob())); v.Outcome != Deny {
			t.Fatalf("operator policies permit: %+v", v)
		}
		e.Judge([]Share{withBob()}, question(bob()))
	})
}

// A document that would cost much at every decision is refused when it is written.
func TestADocumentCannotAskForEndlessComparing(t *testing.T) {
	list := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`"x",`, n), ",") + "]"
	}
	document := func(values, issuers, formats int) string {
		return `{"resource_id":"r","resource_scopes":[],"required_claims":[{"name":"a","values":` + list(values) + `,"issuer":` + list(issuers) + `,"claim_token_format":` + list(formats) + `}]}`
	}
	if _, err := parse(document(256, 4, 1)); err != nil {
		t.Errorf("a large but sensible document: %v", err)
	}
	for _, n := range [][3]int{{256, 256, 256}, {256, 5, 1}, {32, 33, 1}} {
		if _, err := parse(document(n[0], n[1], n[2])); err == nil {
			t.Errorf("%v combinations are accepted", n)
		}
	}
}

// Whatever is taken for an e-mail address is one form of ASCII, and stays what it
// is when it is read again.
//
// Proves SEC-128, SEC-033.
func FuzzCanonicalEmail(f *testing.F) {
	for _, s := range []string{"alice@example.com", " Alice@Example.COM\n", "\u212aate@example.com", "аlice@example.com", "a@b@c", "\"a b\"@c.d", "Alice <alice@example.com>", "a\u200bb@example.com", "@x", "x@", "a@[127.0.0.1]", "a@b, c@d", "a@xn--80ak6aa92e.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := mail.ParseAddress(s); plain(s) && (err != nil || a.Address != s || a.Name != "") {
			t.Errorf("%q is plain, and read as %v, %v", s, a, err)
		}
		c, err := CanonicalEmail(s)
		if err != nil {
			return
		}
		again, err := CanonicalEmail(c)
		if err != nil || again != c {
			t.Errorf("%q is %q, and that is %q, %v", s, c, again, err)
		}
		if strings.ContainsFunc(c, func(r rune) bool { return r <= ' ' || r > '~' || r >= 'A' && r <= 'Z' }) || !strings.EqualFold(strings.TrimSpace(s), c) {
			t.Errorf("%q is %q", s, c)
		}
	})
}
