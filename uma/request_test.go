package uma_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// Proves FED-4.1-01, FED-4.1-03, GEN-1.1-02.
func TestPermissionsAreOneObjectOrAnArray(t *testing.T) {
	for raw, want := range map[string][]uma.Permission{
		`{"resource_id":"a","resource_scopes":["view","edit"]}`:              {{Resource: "a", Scopes: []uma.Scope{"view", "edit"}}},
		`[{"resource_id":"a","resource_scopes":["view"]}]`:                   {{Resource: "a", Scopes: []uma.Scope{"view"}}},
		"\n [ {\"resource_id\":\"a\",\"resource_scopes\":[]} ] ":             {{Resource: "a", Scopes: []uma.Scope{}}},
		`{"resource_id":"a","resource_scopes":[],"x_foo":1,"Resource_id":2}`: {{Resource: "a", Scopes: []uma.Scope{}}},
		`[{"resource_id":"b","resource_scopes":["view"]},{"resource_id":"a","resource_scopes":["https://s.example/v"]},{"resource_id":"c","resource_scopes":[],"x":{}}]`: {
			{Resource: "b", Scopes: []uma.Scope{"view"}}, {Resource: "a", Scopes: []uma.Scope{"https://s.example/v"}}, {Resource: "c", Scopes: []uma.Scope{}}},
	} {
		got, err := uma.ParsePermissionRequest(strings.NewReader(raw))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v and the error %v", raw, got, err)
		}
	}
}

// Proves AMB-29.
func TestEntriesOfOneResourceAreMerged(t *testing.T) {
	got, err := uma.ParsePermissionRequest(strings.NewReader(`[
		{"resource_id":"b","resource_scopes":["edit","edit"]},{"resource_id":"a","resource_scopes":[]},
		{"resource_id":"b","resource_scopes":["view","edit"]},{"resource_id":"A","resource_scopes":[]},{"resource_id":"a","resource_scopes":["view"]}]`))
	want := []uma.Permission{
		{Resource: "b", Scopes: []uma.Scope{"edit", "view"}}, {Resource: "a", Scopes: []uma.Scope{"view"}}, {Resource: "A", Scopes: []uma.Scope{}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v and the error %v", got, err)
	}
}

// Proves FED-4.1-01, FED-4.1-02, FED-4.1-03.
func TestMalformedPermissionRequestIsRefusedAsAWhole(t *testing.T) {
	good := `{"resource_id":"a","resource_scopes":["view"]}`
	for what, raw := range map[string]string{
		"nothing":               ``,
		"an empty array":        `[]`,
		"null":                  `null`,
		"a string":              `"a"`,
		"no members":            `{}`,
		"no id":                 `{"resource_scopes":["view"]}`,
		"an empty id":           `{"resource_id":"","resource_scopes":["view"]}`,
		"no text for an id":     `{"resource_id":7,"resource_scopes":["view"]}`,
		"null for an id":        `{"resource_id":null,"resource_scopes":["view"]}`,
		"no scopes":             `{"resource_id":"a"}`,
		"null for scopes":       `{"resource_id":"a","resource_scopes":null}`,
		"a text for scopes":     `{"resource_id":"a","resource_scopes":"view"}`,
		"a number for a scope":  `{"resource_id":"a","resource_scopes":["view",1]}`,
		"an empty scope":        `{"resource_id":"a","resource_scopes":[""]}`,
		"two scopes in one":     `{"resource_id":"a","resource_scopes":["view edit"]}`,
		"the names of UMA 1":    `{"resource_set_id":"a","scopes":["view"]}`,
		"a good and a bad one":  `[` + good + `,{"resource_id":"b"}]`,
		"a bad and a good one":  `[{"resource_id":"b"},` + good + `]`,
		"an array in the array": `[[` + good + `]]`,
		"null in the array":     `[` + good + `,null]`,
		"a member twice":        `[` + good + `,{"resource_id":"a","resource_id":"b","resource_scopes":[]}]`,
		"something after it":    good + good,
	} {
		got, err := uma.ParsePermissionRequest(strings.NewReader(raw))
		refused(t, what, err, uma.InvalidRequest)
		if got != nil {
			t.Errorf("%s: permissions came with the error: %v", what, got)
		}
	}
}

func TestPermissionRequestIsLimited(t *testing.T) {
	request := func(n int, id func(int) string, scopes func(int) []uma.Scope) string {
		list := make([]uma.Permission, n)
		for i := range list {
			list[i] = uma.Permission{Resource: uma.ResourceID(id(i)), Scopes: scopes(i)}
		}
		return written(t, list)
	}
	each := func(i int) string { return fmt.Sprint("r", i) }
	same := func(int) string { return "r" }
	none := func(int) []uma.Scope { return nil }
	if got, err := uma.ParsePermissionRequest(strings.NewReader(request(uma.MaxPermissions, each, none))); err != nil || len(got) != uma.MaxPermissions {
		t.Errorf("MaxPermissions: %d and the error %v", len(got), err)
	}
	for what, raw := range map[string]string{
		"one more than MaxPermissions": request(uma.MaxPermissions+1, each, none),
		"the same one too often":       request(uma.MaxPermissions+1, same, none),
		"too many scopes":              request(1, same, func(int) []uma.Scope { return numbered(257) }),
		"too many scopes together":     request(2, same, func(i int) []uma.Scope { return numbered(300)[i*150 : (i+1)*150] }),
	} {
		_, err := uma.ParsePermissionRequest(strings.NewReader(raw))
		refused(t, what, err, uma.InvalidRequest)
	}
	for what, raw := range map[string]string{
		"10,000 permissions": request(10_000, each, none),
		"a megabyte":         `{"resource_id":"` + strings.Repeat("x", 1<<20) + `","resource_scopes":[]}`,
	} {
		_, err := uma.ParsePermissionRequest(strings.NewReader(raw))
		if refused(t, what, err, uma.InvalidRequest); !errors.Is(err, uma.ErrTooLarge) {
			t.Errorf("%s: %v is no ErrTooLarge", what, err)
		}
	}
}

// A list that is missing is another thing than a list without elements: the
// member has to be there.
func TestPermissionWithoutScopesIsWrittenWithAnEmptyArray(t *testing.T) {
	for got, want := range map[string]string{
		written(t, uma.Permission{Resource: "a"}):                                      `{"resource_id":"a","resource_scopes":[]}`,
		written(t, &uma.Permission{Resource: "a", Scopes: []uma.Scope{}}):              `{"resource_id":"a","resource_scopes":[]}`,
		written(t, []uma.Permission{{Resource: "a", Scopes: []uma.Scope{"view"}}}):     `[{"resource_id":"a","resource_scopes":["view"]}]`,
		written(t, uma.IntrospectedPermission{Resource: "a"}):                          `{"resource_id":"a","resource_scopes":[]}`,
		written(t, []uma.IntrospectedPermission{{Resource: "a", ExpiresAt: 7}}):        `[{"resource_id":"a","resource_scopes":[],"exp":7}]`,
		written(t, map[string]any{"p": []uma.IntrospectedPermission{{Resource: "a"}}}): `{"p":[{"resource_id":"a","resource_scopes":[]}]}`,
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTokenRequestIsReadFromItsParameters(t *testing.T) {
	for raw, want := range map[string]uma.TokenRequest{
		"ticket=t": {Ticket: "t"},
		"grant_type=x&ticket=t&claim_token=c&claim_token_format=f&pct=p&rpt=r&scope=view+https://s.example/v+view&x_foo=1": {
			Ticket: "t", ClaimToken: "c", ClaimTokenFormat: "f", PCT: "p", RPT: "r", Scopes: []uma.Scope{"view", "https://s.example/v"}},
		"ticket=t&scope=":  {Ticket: "t"},
		"ticket=t&scope=+": {Ticket: "t"},
		"ticket=t&pct=&rpt=&claim_token=&claim_token_format=": {Ticket: "t"},
	} {
		form, err := uma.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := uma.ParseTokenRequest(form)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v and the error %v", raw, got, err)
		}
	}
}

func TestTokenRequestNeedsATicket(t *testing.T) {
	for _, form := range []uma.Form{nil, {}, {"Ticket": "t"}, {"ticket": ""}, {"rpt": "r", "pct": "p"}} {
		_, err := uma.ParseTokenRequest(form)
		if e := refused(t, fmt.Sprint(form), err, uma.InvalidRequest); !strings.Contains(e.Description, "ticket") {
			t.Errorf("%v: %s", form, e.Description)
		}
	}
}

// Proves GRANT-3.3.1-04, GRANT-3.3.1-05.
func TestClaimTokenAndItsFormatComeTogetherOrNotAtAll(t *testing.T) {
	for _, raw := range []string{
		"ticket=t&claim_token=c", "ticket=t&claim_token_format=f", "ticket=t&claim_token=c&claim_token_format=",
		"ticket=t&claim_token=&claim_token_format=f", "ticket=t&claim_token=c&Claim_token_format=f",
	} {
		form, err := uma.ParseQuery(raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := uma.ParseTokenRequest(form)
		refused(t, raw, err, uma.InvalidRequest)
		if !reflect.DeepEqual(got, uma.TokenRequest{}) {
			t.Errorf("%s: a request came with the error: %v", raw, got)
		}
	}
}

func TestMalformedScopeIsInvalidScope(t *testing.T) {
	_, err := uma.ParseTokenRequest(uma.Form{"ticket": "t", "scope": "view \x01"})
	refused(t, "scope", err, uma.InvalidScope)
}
