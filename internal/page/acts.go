package page

import (
	"html/template"
	"slices"
	"strings"
)

// Act is something that may be done with a thing, in words. People read five verbs:
// see, add, change, delete, share on.
type Act struct {
	Icon  string        // a sign beside it
	Said  template.HTML // "see"
	Known bool          // false where nobody has said what it means
	Order int           // where people expect it
}

// acts are what well-known names of scopes mean, in the order in which people expect
// them. The names are compared in lower case.
var acts = []struct {
	names      []string
	icon, said string
}{
	{[]string{"view", "read", "see", "get", "list", "show"}, "see", Sentence("see")},
	{[]string{"download", "copy", "export", "print"}, "save", Sentence("see and keep a copy")},
	{[]string{"add", "create", "upload", "append", "write", "post", "comment"}, "add", Sentence("add")},
	{[]string{"edit", "change", "update", "modify", "put", "patch"}, "change", Sentence("change")},
	{[]string{"delete", "remove", "erase"}, "delete", Sentence("delete")},
	{[]string{"share", "reshare", "share on", "delegate"}, "share", Sentence("share on")},
}

// Words are what the operator says of names that mean nothing to people, by the name and
// the language. Those of "en" are for the languages that have none.
type Words map[string]map[string]string

// of says a name in the reader's language; "" when nobody has put it in words.
func (w Words) of(name string, a *Answer) template.HTML {
	said, ok := w[name][a.Language()]
	if !ok {
		said = w[name]["en"]
	}
	return a.Tell(said)
}

// Kind says what things of a type are; "" when nobody has put the type in words.
func (a *Answer) Kind(typ string) template.HTML { return a.pages.Kinds.of(typ, a) }

// Act says what a scope lets somebody do. One that nobody has put in words is never
// shown as it is.
func (a *Answer) Act(scope string) Act {
	out := a.ourAct(scope)
	if said := a.pages.Words.of(scope, a); said != "" {
		out = Act{"note", said, true, out.Order}
	}
	return out
}

func (a *Answer) ourAct(scope string) Act {
	name := strings.ToLower(scope)
	for i, known := range acts {
		if slices.Contains(known.names, name) {
			return Act{known.icon, a.Say(known.said), true, i}
		}
	}
	return Act{"careful", a.Say("do something that the service has not put in words"), false, len(acts)}
}

// Acts says each thing that scopes let somebody do once, in the order in which people
// expect them.
func (a *Answer) Acts(scopes []string) []Act {
	var out []Act
	for _, scope := range scopes {
		one := a.Act(scope)
		if !slices.ContainsFunc(out, func(other Act) bool { return other.Said == one.Said }) {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b Act) int { return a.Order - b.Order })
	return out
}
