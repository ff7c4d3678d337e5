package uma_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// Proves FED-5.1.1-01, FED-5.1.1-02, FED-5.1.1-03, FED-5.1.1-06.
func TestPermissionsAreWrittenForEveryActiveRPTAndForNothingElse(t *testing.T) {
	for got, want := range map[string]string{
		written(t, uma.Introspection{}): `{"active":false}`,
		written(t, uma.Introspection{Subject: "s", ExpiresAt: 3, Permissions: []uma.IntrospectedPermission{{Resource: "a"}}}):  `{"active":false}`,
		written(t, uma.Introspection{Active: true, Scope: "uma_protection"}):                                                   `{"active":true,"scope":"uma_protection"}`,
		written(t, uma.Introspection{Active: true, Permissions: []uma.IntrospectedPermission{}}):                               `{"active":true,"permissions":[]}`,
		written(t, &uma.Introspection{Active: true, ClientID: "c", ExpiresAt: 3, Permissions: []uma.IntrospectedPermission{}}): `{"active":true,"client_id":"c","exp":3,"permissions":[]}`,
		written(t, uma.Introspection{Active: true, Scope: "view", Permissions: []uma.IntrospectedPermission{
			{Resource: "a", Scopes: []uma.Scope{"view"}, ExpiresAt: 1774745999, IssuedAt: 1, NotBefore: 2}, {Resource: "b"}}}): `{"active":true,"permissions":[` +
			`{"resource_id":"a","resource_scopes":["view"],"exp":1774745999,"iat":1,"nbf":2},{"resource_id":"b","resource_scopes":[]}]}`,
	} {
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

var now = time.Unix(1774745999, 0)

// times are an end, an issue and a start; 0 is none.
type times struct{ exp, iat, nbf int64 }

// Every combination of times that are absent, past and to come, of the token and
// of its permission.
//
// Proves FED-5.1.1-07, AMB-23.
func TestStricterOfTokenAndPermissionTimesHolds(t *testing.T) {
	past, future := now.Unix()-3600, now.Unix()+3600
	var all []times
	for _, exp := range []int64{0, past, future} {
		for _, iat := range []int64{0, past, future} {
			for _, nbf := range []int64{0, past, future} {
				all = append(all, times{exp, iat, nbf})
			}
		}
	}
	good := 0
	for _, token := range all {
		for _, permission := range all {
			in := uma.Introspection{Active: true, ExpiresAt: token.exp, IssuedAt: token.iat, NotBefore: token.nbf,
				Permissions: []uma.IntrospectedPermission{
					{Resource: "a", Scopes: []uma.Scope{"view"}, ExpiresAt: permission.exp, IssuedAt: permission.iat, NotBefore: permission.nbf}}}
			// The stricter end is the earlier, the stricter start the later one.
			end := permission.exp
			if end == 0 || token.exp != 0 && token.exp < end {
				end = token.exp
			}
			start := max(token.iat, token.nbf, permission.iat, permission.nbf)
			want := (end == 0 || now.Unix() < end) && start <= now.Unix()
			if got := in.Permits("a", []uma.Scope{"view"}, now); got != want {
				t.Errorf("token %v, permission %v: permitted %v, want %v", token, permission, got, want)
			}
			if got := in.Permits("a", nil, now); got != want {
				t.Errorf("token %v, permission %v, without a scope: permitted %v, want %v", token, permission, got, want)
			}
			if want {
				good++
			}
		}
	}
	if good != 8*8 { // exp, iat and nbf each have two values that are no obstacle
		t.Errorf("%d of %d combinations are permitted", good, len(all)*len(all))
	}
}

// An end is sharp. A beginning may lie half a minute ahead, as clocks differ.
//
// Proves FED-5.1.1-07.
func TestEdgesOfTime(t *testing.T) {
	n := now.Unix()
	for _, edge := range []struct {
		times
		want bool
	}{
		{times{exp: n + 1}, true}, {times{exp: n}, false}, {times{exp: n - 1}, false},
		{times{iat: n}, true}, {times{iat: n + 30}, true}, {times{iat: n + 31}, false},
		{times{nbf: n}, true}, {times{nbf: n + 30}, true}, {times{nbf: n + 31}, false},
	} {
		p := uma.IntrospectedPermission{Resource: "a", Scopes: []uma.Scope{"view"}}
		token := uma.Introspection{Active: true, ExpiresAt: edge.exp, IssuedAt: edge.iat, NotBefore: edge.nbf, Permissions: []uma.IntrospectedPermission{p}}
		p.ExpiresAt, p.IssuedAt, p.NotBefore = edge.exp, edge.iat, edge.nbf
		permission := uma.Introspection{Active: true, Permissions: []uma.IntrospectedPermission{p}}
		for what, in := range map[string]uma.Introspection{"token": token, "permission": permission} {
			if got := in.Permits("a", []uma.Scope{"view"}, now.Add(999*time.Millisecond)); got != edge.want {
				t.Errorf("%s %v: permitted %v", what, edge.times, got)
			}
		}
	}
}

// Proves PEER-Gatekeeper.
func TestAllScopesAreNeededOverAllPermissionsOfTheResource(t *testing.T) {
	in := uma.Introspection{Active: true, Permissions: []uma.IntrospectedPermission{
		{Resource: "a", Scopes: []uma.Scope{"view"}},
		{Resource: "b", Scopes: []uma.Scope{"edit", "delete"}},
		{Resource: "a", Scopes: []uma.Scope{"print"}},
		{Resource: "a", Scopes: []uma.Scope{"edit"}, ExpiresAt: now.Unix()},
		{Resource: "c"},
		{Resource: "d", Scopes: []uma.Scope{"view"}, NotBefore: now.Unix() + 3600},
	}}
	for _, ask := range []struct {
		resource uma.ResourceID
		scopes   string
		want     bool
	}{
		{"a", "", true}, {"a", "view", true}, {"a", "print view", true}, {"a", "view view", true},
		{"a", "View", false}, {"a", "edit", false}, {"a", "view edit", false}, {"a", "edit view", false}, {"a", "view delete", false},
		{"b", "edit delete", true}, {"b", "view", false},
		{"c", "", true}, {"c", "view", false},
		{"d", "", false}, {"d", "view", false},
		{"A", "view", false}, {"", "", false}, {"e", "", false},
	} {
		scopes, err := uma.ParseScope(ask.scopes)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Permits(ask.resource, scopes, now); got != ask.want {
			t.Errorf("%q of %q: permitted %v", ask.scopes, ask.resource, got)
		}
		if inactive := in; ask.want {
			inactive.Active = false
			if inactive.Permits(ask.resource, scopes, now) {
				t.Errorf("%q of %q: permitted by a token that is not active", ask.scopes, ask.resource)
			}
		}
	}
	for what, in := range map[string]uma.Introspection{
		"the zero value": {}, "no RPT": {Active: true, Scope: "view"}, "no permission": {Active: true, Permissions: []uma.IntrospectedPermission{}},
	} {
		if in.Permits("a", nil, now) || in.Permits("", nil, now) || in.Permits("a", []uma.Scope{"view"}, now) {
			t.Errorf("%s permits something", what)
		}
	}
}

// An answer as another server would write it, all the way to the decision.
func TestParsedIntrospectionDecides(t *testing.T) {
	raw := fmt.Sprintf(`{"active":true,"exp":%d,"iat":%d,"permissions":[{"resource_id":"a","resource_scopes":["view","https://s.example/print"],"exp":%d}]}`,
		now.Unix()+60, now.Unix()-60, now.Unix()+30)
	in, err := uma.ParseIntrospection(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	both := []uma.Scope{"https://s.example/print", "view"}
	if !in.Permits("a", both, now.Add(29*time.Second)) || in.Permits("a", both, now.Add(30*time.Second)) {
		t.Errorf("%s does not end when its permission ends", raw)
	}
}
