package differential

import (
	"slices"
	"strings"
	"time"
)

// fact is something known about a requesting party.
type fact struct {
	name, value, issuer, format string
	at                          time.Time
}

func subjectOf(facts []fact) string {
	for _, f := range facts {
		if f.name == "sub" {
			return f.issuer + "#" + f.value
		}
	}
	return ""
}

// join puts newer facts over older ones. Two people never mix, and what an
// issuer says anew replaces what it said under that name.
func join(older, newer []fact) []fact {
	if len(newer) == 0 {
		return older
	}
	if was, is := subjectOf(older), subjectOf(newer); was != "" && is != "" && was != is {
		return newer
	}
	out := slices.Clone(newer)
	for _, o := range older {
		again := false
		for _, n := range newer {
			again = again || n.name == o.name && n.issuer == o.issuer
		}
		if !again {
			out = append(out, o)
		}
	}
	return out
}

// forbid is an operator's rule: as Cedar, and as what it means. A rule that
// cannot be evaluated leaves open whether it forbids.
type forbid struct {
	cedar string
	means func(r *resource, scope string, facts []fact, client string) (forbids, open bool)
}

func roles(facts []fact) set {
	out := set{}
	for _, f := range facts {
		if f.name == "role" {
			out[f.value] = true
		}
	}
	return out
}

var forbids = []forbid{
	{"", func(*resource, string, []fact, string) (bool, bool) { return false, false }},
	{`forbid (principal, action == Action::"print", resource);`,
		func(_ *resource, scope string, _ []fact, _ string) (bool, bool) { return scope == "print", false }},
	{`forbid (principal, action, resource) when { context.claims has role && context.claims.role.contains("guest") };`,
		func(_ *resource, _ string, facts []fact, _ string) (bool, bool) { return roles(facts)["guest"], false }},
	{`forbid (principal, action == Action::"edit", resource) when { resource.server == "rs2" || context.server.client == "c2" };`,
		func(r *resource, scope string, _ []fact, client string) (bool, bool) {
			return scope == "edit" && (r.server == "rs2" || client == "c2"), false
		}},
	{`forbid (principal, action, resource) when { context.claims.role.contains("guest") };`,
		func(_ *resource, _ string, facts []fact, _ string) (bool, bool) {
			return roles(facts)["guest"], len(roles(facts)) == 0
		}},
	{`forbid (principal, action == Access::"bare", resource);`,
		func(_ *resource, scope string, _ []fact, _ string) (bool, bool) { return scope == "", false }},
}

type outcome int

const (
	deny outcome = iota
	ask
	need
	permit
)

type verdict struct {
	outcome outcome
	share   *share // for permit
	missing set
}

// judge answers for one scope of one resource, "" being the resource alone.
func (m *model) judge(r *resource, scope string, facts []fact, client string) verdict {
	forbidden, open := m.forbid.means(r, scope, facts, client)
	if forbidden {
		return verdict{}
	}
	v := verdict{missing: set{}}
	for _, s := range m.shares {
		if s.withdrawn || s.dormant || s.wish.resource != r {
			continue
		}
		o, missing := m.weigh(s.wish, scope, facts, client)
		if o > v.outcome {
			v = verdict{outcome: o, missing: set{}}
		}
		if o != v.outcome {
			continue
		}
		for c := range missing {
			v.missing[c] = true
		}
		if v.share == nil || outlasts(s, v.share) {
			v.share = s
		}
	}
	if open && (v.outcome == permit || v.outcome == ask) {
		return verdict{}
	}
	return v
}

// outlasts says which of two shares a permission is granted under.
func outlasts(a, b *share) bool {
	x, y := a.wish.notAfter, b.wish.notAfter
	switch {
	case x.Equal(y):
		return a.id < b.id
	case x.IsZero() || y.IsZero():
		return x.IsZero()
	}
	return x.After(y)
}

func (m *model) weigh(w wish, scope string, facts []fact, client string) (outcome, set) {
	if scope == "" && len(w.scopes) > 0 || scope != "" && !w.scopes[scope] {
		return deny, nil
	}
	if w.client != "" && w.client != client || m.now.Before(w.notBefore) || !w.notAfter.IsZero() && !m.now.Before(w.notAfter) {
		return deny, nil
	}
	named := subjectOf(facts) != ""
	missing := set{}
	if w.group != nil && w.group.has(facts) == nil {
		for _, f := range facts {
			if f.name == "email" {
				return deny, nil
			}
		}
		missing[claimKey("email", nil, nil)] = true
	}
	for _, c := range w.claims {
		told, right := false, false
		for _, f := range facts {
			if f.name != c.name || c.issuer != nil && !slices.Contains(c.issuer, f.issuer) || c.formats != nil && !slices.Contains(c.formats, f.format) {
				continue
			}
			told = true
			right = right || c.values == nil || slices.Contains(c.values, f.value)
			for _, v := range c.values {
				domain, anybody := strings.CutPrefix(v, "*")
				right = right || c.name == "email" && anybody && strings.HasSuffix(f.value, domain)
			}
		}
		told = told || c.name == "sub" && named
		if told && !right {
			return deny, nil
		}
		if !right {
			missing[claimKey(c.name, c.issuer, c.formats)] = true
		}
	}
	for name, promise := range map[string]string{"purpose": w.purpose, "terms_accepted": w.terms} {
		made := promise == ""
		for _, f := range facts {
			made = made || f.name == name && f.value == promise
		}
		if !made {
			missing[claimKey(name, nil, nil)] = true
		}
	}
	switch {
	case len(missing) > 0:
		return need, missing
	case w.ask && !named:
		return need, setOf(claimKey("sub", nil, nil))
	case w.ask:
		return ask, nil
	}
	return permit, nil
}

func claimKey(name string, issuer, formats []string) string {
	issuer = slices.Sorted(slices.Values(issuer))
	return name + " from " + strings.Join(issuer, ",") + " as " + strings.Join(formats, ",")
}

// has is the membership of whoever the facts are about; nil for none.
func (g *group) has(facts []fact) *membership {
	for _, f := range facts {
		if f.name == "email" && g.members[f.value] != nil {
			return g.members[f.value]
		}
	}
	return nil
}
