package e2e

import (
	"flag"
	"testing"
)

// others says that journeys are made in all other ways. By itself each is made in the
// first two of its ways, which have least in common.
var others = flag.Bool("others", false, "make each journey in all its ways but the first two, which are made without this")

// way is how somebody comes to a page.
type way struct {
	name     string
	width    int64 // of the window, in CSS pixels
	scripts  bool
	dark     bool
	keyboard bool   // and no mouse
	language string // as their browser asks for it
	pseudo   bool   // English in strange letters: what is not in the catalogue stands out
	large    bool   // letters twice as large
}

const phone, desk = 320, 1280

// everyWay is for pages that everybody comes by.
var everyWay = []way{
	{name: "keyboard on a phone without scripts in the dark", width: phone, dark: true, keyboard: true},
	{name: "desk", width: desk, scripts: true},
	{name: "phone", width: phone, scripts: true},
	{name: "phone in the dark", width: phone, scripts: true, dark: true},
	{name: "phone without scripts", width: phone},
	{name: "phone without scripts in the dark", width: phone, dark: true},
	{name: "desk in the dark", width: desk, scripts: true, dark: true},
	{name: "desk without scripts", width: desk},
	{name: "desk without scripts in the dark", width: desk, dark: true},
	{name: "keyboard", width: desk, scripts: true, keyboard: true},
	{name: "Arabic", width: phone, scripts: true, language: "ar"},
	{name: "Arabic by keyboard", width: desk, dark: true, keyboard: true, language: "ar"},
	{name: "German", width: phone, scripts: true, language: "de"},
	{name: "French", width: phone, scripts: true, language: "fr"},
	{name: "pseudo", width: phone, scripts: true, pseudo: true},
	{name: "large letters", width: desk, scripts: true, large: true},
	{name: "large letters on a phone", width: phone, large: true},
}

// fewWays have each of the properties once, for pages that are made of the same parts.
var fewWays = []way{
	{name: "keyboard on a phone without scripts in the dark", width: phone, dark: true, keyboard: true},
	{name: "desk", width: desk, scripts: true},
	{name: "Arabic with large letters on a phone", width: phone, scripts: true, language: "ar", large: true},
	{name: "pseudo", width: phone, scripts: true, pseudo: true},
}

// taken are the ways of these that this run takes.
func taken(ways []way) []way {
	first := min(2, len(ways))
	if *others {
		return ways[first:]
	}
	return ways[:first]
}

// journey takes a visitor along in each of the ways.
func journey(t *testing.T, ways []way, along func(v *visitor)) {
	p := visit(t)
	for _, w := range taken(ways) {
		t.Run(w.name, func(t *testing.T) { along(p.visitor(t, w)) })
	}
}
