package resourceserver

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
)

// deviation is an RPT that must not open the door, by what the authorization
// server says about it.
type deviation struct {
	name   string
	owner  string
	answer map[string]any
}

// insufficient are RPTs about which the authorization server speaks clearly.
func (s *session) insufficient(t *trial.Trial, learned ticket) []deviation {
	good := learned.all()
	out := []deviation{
		{"an inactive RPT", learned.owner, map[string]any{"active": false}},
		{"an inactive RPT that still has permissions", learned.owner, with(good, "active", false)},
		{"an active RPT without a permission", learned.owner, with(good, "permissions", []any{})},
		{"an RPT for another resource", learned.owner, each(good, "resource_id", "res-"+rand.Text())},
		{"an RPT for a resource whose id differs in case", learned.owner, each(good, "resource_id", swapCase(learned.asked[0].Resource))},
	}
	for i, p := range learned.asked {
		if len(learned.asked) > 1 {
			rest := append(append([]asked{}, learned.asked[:i]...), learned.asked[i+1:]...)
			out = append(out, deviation{"an RPT that lacks one of several resources", learned.owner, active(rest)})
		}
		for j, scope := range p.Scopes {
			fewer := append(append([]string{}, p.Scopes[:j]...), p.Scopes[j+1:]...)
			for _, variant := range []struct {
				name   string
				scopes []string
			}{
				{"an RPT without the scope " + scope, fewer},
				{"an RPT whose scope begins with " + scope, append(slices.Clone(fewer), scope+"-not")},
				{"an RPT whose scope is " + scope + " in another case", append(slices.Clone(fewer), swapCase(scope))},
			} {
				list := append([]asked{}, learned.asked...)
				list[i] = asked{p.Resource, variant.scopes}
				out = append(out, deviation{variant.name, learned.owner, active(list)})
			}
			// The scope is there, on another resource.
			list := append([]asked{}, learned.asked...)
			list[i] = asked{p.Resource, fewer}
			out = append(out, deviation{"an RPT with the scope on another resource", learned.owner,
				active(append(list, asked{"res-" + rand.Text(), p.Scopes}))})
		}
	}
	return out
}

// doubtful are RPTs about which the authorization server says something that no
// access may be built on.
func doubtful(learned ticket) []deviation {
	good := learned.all()
	without := with(good)
	delete(without, "active")
	plain := map[string]any{"active": true, "scope": strings.Join(learned.asked[0].Scopes, " ")}
	return []deviation{
		{"an RPT of another issuer", learned.owner, with(good, "iss", "https://other.example")},
		{"a token bound to a key, shown without proof", learned.owner,
			with(good, "token_type", "DPoP", "cnf", map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})},
		{"an OAuth access token that is no RPT", learned.owner, plain},
		{"an answer without active", learned.owner, without},
		{"active as a string", learned.owner, with(good, "active", "true")},
		{"permissions that are no array", learned.owner, with(good, "permissions", good["permissions"].([]any)[0])},
		{"a resource id that is no string", learned.owner, each(good, "resource_id", 1)},
		{"a permission that ended when time began", learned.owner, each(good, "exp", 0)},
		{"a permission that ended before time began", learned.owner, each(good, "exp", -1)},
		{"a token that ended when time began", learned.owner, with(good, "exp", 0)},
		{"an end that is no number", learned.owner, each(good, "exp", "1")},
		{"an end that is no whole number", learned.owner, each(good, "exp", 0.5)},
		{"an end beyond all numbers", learned.owner, each(good, "exp", json.Number("1e400"))},
		{"scopes that are no array", learned.owner, each(good, "resource_scopes", strings.Join(learned.asked[0].Scopes, " "))},
	}
}

func swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// sameID says whether a deviation by case does not deviate.
func sameID(d deviation, learned ticket) bool {
	return fmt.Sprint(d.answer) == fmt.Sprint(learned.all())
}

// timing is an RPT with times in it.
type timing struct {
	name   string
	good   bool
	answer map[string]any
}

// timed are all the ways in which the token's and the permission's times can
// disagree (FedAuthz 5.1.1).
func timed(learned ticket) []timing {
	good := learned.all()
	past, future := time.Now().Add(-time.Hour).Unix(), time.Now().Add(time.Hour).Unix()
	return []timing{
		{"a permission and a token that both last", true, each(with(good, "exp", future, "iat", past, "nbf", past), "exp", future, "iat", past, "nbf", past)},
		{"a token that lasts, a permission without times", true, with(good, "exp", future)},
		{"a permission that has ended in a token that lasts", false, each(with(good, "exp", future), "exp", past)},
		{"a permission that has ended in a token without an end", false, each(good, "exp", past)},
		{"a permission that lasts in a token that has ended", false, each(with(good, "exp", past), "exp", future)},
		{"a permission that lasts until the year 9999", true, each(good, "exp", 253402300799)},
		{"a permission that is not good yet", false, each(with(good, "exp", future, "nbf", past), "nbf", future)},
		{"a permission that is good in a token that is not good yet", false, each(with(good, "nbf", future), "nbf", past)},
	}
}
