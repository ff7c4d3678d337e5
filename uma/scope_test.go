package uma_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

func TestScopesAreSeparatedBySpacesAndCountOnce(t *testing.T) {
	for raw, want := range map[string][]uma.Scope{
		"":                          {},
		" ":                         {},
		"view":                      {"view"},
		"view edit view  edit View": {"view", "edit", "View"},
		" view ":                    {"view"},
		"https://scopes.example/view?a=1&b=[2]#x !#$%&'()*+,-./:;<=>?@[]^_`{|}~": {
			"https://scopes.example/view?a=1&b=[2]#x", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"},
	} {
		got, err := uma.ParseScope(raw)
		if err != nil || got == nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q and the error %v", raw, got, err)
		}
		again, err := uma.ParseScope(uma.JoinScopes(got))
		if err != nil || !slices.Equal(again, got) {
			t.Errorf("%q: joined and parsed again: %q and the error %v", raw, again, err)
		}
	}
}

func TestScopeWithOtherCharactersIsRefused(t *testing.T) {
	for _, raw := range []string{
		`a"b`, `a\b`, "a\tb", "a\nb", "a\x00", "a\x7f", "é", "a\u00a0b", "view \x1f", "a\u200bb", strings.Repeat("x", 1025),
	} {
		scopes, err := uma.ParseScope(raw)
		refused(t, raw, err, uma.InvalidScope)
		if scopes != nil {
			t.Errorf("%q: scopes came with the error: %q", raw, scopes)
		}
	}
	if _, err := uma.ParseScope(strings.Repeat("x", 1024)); err != nil {
		t.Errorf("a scope of 1024 bytes: %v", err)
	}
}

func TestScopesAreLimitedInNumber(t *testing.T) {
	if scopes, err := uma.ParseScope(uma.JoinScopes(numbered(256)) + " s0 s1"); err != nil || len(scopes) != 256 {
		t.Errorf("256 scopes: %d and the error %v", len(scopes), err)
	}
	_, err := uma.ParseScope(uma.JoinScopes(numbered(257)))
	refused(t, "257 scopes", err, uma.InvalidScope)
}

func numbered(n int) []uma.Scope {
	scopes := make([]uma.Scope, n)
	for i := range scopes {
		scopes[i] = uma.Scope(fmt.Sprintf("s%d", i))
	}
	return scopes
}
