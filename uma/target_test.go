package uma_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// The parameter resource may come several times, and nothing else may.
func TestPlacesAreAbsoluteURIs(t *testing.T) {
	for raw, want := range map[string][]string{
		"": nil, "a=1": nil, "resource=": nil,
		"resource=https://a.example":                                     {"https://a.example"},
		"resource=https://a.example&a=1&resource=urn:b&resource=":        {"https://a.example", "urn:b"},
		"resource=https://a.example/x?y=z&resource=https://a.example/x2": {"https://a.example/x?y=z", "https://a.example/x2"},
	} {
		form, err := uma.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if got, err := uma.ParseTargets(form); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"resource=photos", "resource=/photos", "resource=//a.example", "resource=https://a.example%23f", "resource=https://a.example%23", "resource=https://a.example&resource=b",
		"resource=https://a%C3%A9.example", "resource=%3A", "resource=a%3A%20b", "resource=https://a.example/" + strings.Repeat("x", 2048), strings.Repeat("resource=urn:x&", 9),
	} {
		form, err := uma.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		got, err := uma.ParseTargets(form)
		refused(t, raw, err, uma.InvalidTarget)
		if got != nil {
			t.Errorf("%s is refused, and is %q", raw, got)
		}
	}
}

// What is taken for places is read again from what is written of it, and no place is
// in two pieces.
func FuzzParseTargets(f *testing.F) {
	for _, s := range []string{"https://a.example", "https://a.example urn:b", "a", "https://a.example#", " ", "https://a.example  x:", "%", "HTTPS://a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := uma.ParseTargets(uma.Form{"resource": s})
		if err != nil {
			refused(t, s, err, uma.InvalidTarget)
			return
		}
		if strings.Join(got, " ") != s {
			t.Errorf("%q is read as %q", s, got)
		}
		for _, one := range got {
			if u, err := url.Parse(one); err != nil || !u.IsAbs() || strings.ContainsAny(one, "# \r\n\x00") {
				t.Errorf("%q has the place %q", s, one)
			}
		}
	})
}
