package policy

import (
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/licet/licet/uma"
)

// The entity types and attributes that a share compiles to, and that operators
// use in their forbids.
const (
	typeParty    = "RequestingParty"
	typeResource = "Resource"
	typeScope    = "Action" // Action::"view" is the scope view
	typeBare     = "Access" // Access::"bare" is the resource without any scope
	bareID       = "bare"
)

// everything permits everything: under it, only forbids decide.
var everything = cedar.NewPolicyFromAST(ast.Permit())

// compile makes the Cedar policy of a share. It is built and never written as
// text, so no value can be more than a value.
func compile(s Share) *cedar.Policy {
	p := ast.Permit().ResourceEq(types.NewEntityUID(typeResource, types.String(s.Resource)))
	actions := []types.EntityUID{action("")}
	if len(s.Scopes) > 0 {
		actions = actions[:0]
		for _, scope := range s.Scopes {
			actions = append(actions, action(scope))
		}
	}
	p = p.ActionInSet(actions...)
	server := ast.Context().Access("server")
	if s.Client != "" {
		p = p.When(server.Access("client").Equal(ast.String(s.Client)))
	}
	if !s.NotBefore.IsZero() {
		p = p.When(server.Access("time").GreaterThanOrEqual(ast.Datetime(s.NotBefore)))
	}
	if !s.NotAfter.IsZero() {
		p = p.When(server.Access("time").LessThan(ast.Datetime(s.NotAfter)))
	}
	if s.Group != "" {
		p = p.When(server.Access("groups").Contains(ast.String(s.Group)))
	}
	for _, c := range s.conditions() {
		var accepted []types.Value
		for _, value := range orNone(c.Values) {
			for _, issuer := range orNone(c.Issuer) {
				for _, format := range orNone(c.ClaimTokenFormat) {
					if value != nil {
						canonical := canonicalValue(c.Name, *value)
						value = &canonical
					}
					accepted = append(accepted, detail(c.Name, value, issuer, format))
				}
			}
		}
		p = p.When(ast.Context().Access("facts").ContainsAny(ast.Value(types.NewSet(accepted...))))
	}
	return cedar.NewPolicyFromAST(p)
}

// orNone returns pointers to the elements, or one nil for "any".
func orNone(list []string) []*string {
	if len(list) == 0 {
		return []*string{nil}
	}
	out := make([]*string, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// detail is a fact in some degree of detail. A condition names what it cares
// about and leaves the rest out; request offers each fact in every degree.
func detail(name string, value, issuer, format *string) types.Value {
	m := types.RecordMap{"name": types.String(name)}
	for key, v := range map[types.String]*string{"value": value, "issuer": issuer, "format": format} {
		if v != nil {
			m[key] = types.String(*v)
		}
	}
	return types.NewRecord(m)
}

func action(scope uma.Scope) types.EntityUID {
	if scope == "" {
		return types.NewEntityUID(typeBare, bareID)
	}
	return types.NewEntityUID(typeScope, types.String(scope))
}

// request is the question in Cedar's form. Claims live under context.claims
// (name to set of values) and context.facts; what the server knows lives under
// context.server, which is not made of claims.
func request(q Question) cedar.Request {
	values := map[string][]types.Value{}
	var facts []types.Value
	for i := range q.Facts {
		f := &q.Facts[i]
		values[f.Name] = append(values[f.Name], types.String(canonicalValue(f.Name, f.Value)))
		said := []*string{nil}
		for _, s := range spellings(*f) {
			said = append(said, &s)
		}
		for _, value := range said {
			for _, issuer := range []*string{nil, &f.Issuer} {
				for _, format := range []*string{nil, &f.Format} {
					facts = append(facts, detail(f.Name, value, issuer, format))
				}
			}
		}
	}
	groups := make([]types.Value, len(q.Groups))
	for i, g := range q.Groups {
		groups[i] = types.String(g)
	}
	claims := types.RecordMap{}
	for name, v := range values {
		claims[types.String(name)] = types.NewSet(v...)
	}
	return cedar.Request{
		Principal: party(q), Action: action(q.Scope), Resource: types.NewEntityUID(typeResource, types.String(q.Resource)),
		Context: types.NewRecord(types.RecordMap{
			"claims": types.NewRecord(claims),
			"facts":  types.NewSet(facts...),
			"server": types.NewRecord(types.RecordMap{
				"time": types.NewDatetime(q.Now.Truncate(time.Millisecond)), "client": types.String(q.Client), "address": types.String(q.Address),
				"groups": types.NewSet(groups...),
			}),
		}),
	}
}

// party is the requesting party: its issuer and sub where they are known.
func party(q Question) types.EntityUID {
	for _, f := range q.Facts {
		if f.Name == "sub" {
			return types.NewEntityUID(typeParty, types.String(f.Issuer+"#"+f.Value))
		}
	}
	return types.NewEntityUID(typeParty, "")
}

// entities tells Cedar about the resource.
func entities(q Question) types.EntityMap {
	uid := types.NewEntityUID(typeResource, types.String(q.Resource))
	return types.EntityMap{uid: {UID: uid, Attributes: types.NewRecord(types.RecordMap{
		"type": types.String(q.ResourceType), "space": types.String(q.Space), "server": types.String(q.Server),
	})}}
}
