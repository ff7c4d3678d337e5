package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// functions are what templates may call.
//
//	t SENTENCE ARG…     the sentence in the reader's language
//	whose NAME OWN THEIRS ARG…
//	                    what is said of the reader's own things or, when there is a
//	                    name, of that person's; the name comes last
//	begin PHRASE        the phrase, where a sentence begins
//	icon NAME           a sign beside a word; it says nothing by itself
//	turning NAME        one that points, and turns with the writing
//	face KIND KEY NAME  a circle for a person, a square for an app, an arch for a thing
//	asset NAME          the path of a file
//	dict KEY VALUE …    several values for one template
func (p *Pages) functions(lang language.Tag) template.FuncMap {
	return template.FuncMap{
		"t": func(english string, args ...any) template.HTML { return speak(lang, english, args...) },
		"whose": func(name, own, theirs string, args ...any) template.HTML {
			return whose(lang, name, own, theirs, args...)
		},
		"icon":    func(name string) (template.HTML, error) { return icon(name, "i") },
		"small":   func(name string) (template.HTML, error) { return icon(name, "i i-s") },
		"turning": func(name string) (template.HTML, error) { return icon(name, "i i-s turn") },
		"face":    face,
		"asset":   p.assetPath,
		"dict":    dict,
		"begin":   begin,
	}
}

// begin is a phrase where a sentence begins: its first letter is a capital, unless it is
// of what somebody else wrote, which stays as it was written.
func begin(said template.HTML) template.HTML {
	at := 0
	for strings.HasPrefix(string(said[at:]), "<") && !strings.HasPrefix(string(said[at:]), "<bdi>") {
		end := strings.Index(string(said[at:]), ">")
		if end < 0 {
			return said
		}
		at += end + 1
	}
	first, size := utf8.DecodeRuneInString(string(said[at:]))
	if size == 0 {
		return said
	}
	return said[:at] + template.HTML(unicode.ToUpper(first)) + said[at+size:]
}

func dict(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("page: %v is no name", pairs[i])
		}
		out[key] = pairs[i+1]
	}
	return out, nil
}

// icons are drawn on a grid of 24, in lines, one idea each.
var icons = map[string]string{
	"yes":      `<path d="m5 12.5 4.7 4.7L19.5 7"/>`,
	"no":       `<path d="m6 6 12 12M18 6 6 18"/>`,
	"clock":    `<circle cx="12" cy="12" r="8.2"/><path d="M12 7.3V12l3.2 2"/>`,
	"next":     `<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>`,
	"back":     `<path d="m14.5 5.5-6.5 6.5 6.5 6.5"/>`,
	"ask":      `<path d="M4 5.5h16v11h-9l-4.5 3.5v-3.5H4z"/><path d="M10 9.6a2 2 0 1 1 2.7 1.8c-.5.2-.7.5-.7 1"/><path d="M12 14.2v.01"/>`,
	"me":       `<circle cx="12" cy="8.3" r="3.8"/><path d="M4.5 20c.6-4.2 3.6-6.2 7.5-6.2s6.9 2 7.5 6.2"/>`,
	"home":     `<path d="M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-5a3 3 0 0 0-6 0v5H5a1 1 0 0 1-1-1z"/>`,
	"things":   `<path d="M5 20.5V11a7 7 0 0 1 14 0v9.5z"/><path d="M9 20.5V13l5 1.8v5.7"/>`,
	"people":   `<circle cx="9" cy="8" r="3.4"/><path d="M2.8 19.5c.5-3.6 3-5.4 6.2-5.4s5.7 1.8 6.2 5.4"/><rect x="15.6" y="9.2" width="5.8" height="5.8" rx="1.6"/>`,
	"shut":     `<path d="M6 20.5V11a6 6 0 0 1 12 0v9.5zM12 5v15.5M6 12.5h12"/>`,
	"see":      `<path d="M2.5 12C4.7 8 8 6 12 6s7.3 2 9.5 6c-2.2 4-5.5 6-9.5 6s-7.3-2-9.5-6z"/><circle cx="12" cy="12" r="2.8"/>`,
	"add":      `<path d="M12 5v14M5 12h14"/>`,
	"change":   `<path d="M4 20l1-4.5L15.5 5a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z"/>`,
	"delete":   `<path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.500 11v5"/>`,
	"share":    `<path d="M12 15V4M8 7.500 12 3.700l4 3.800M5 12v8h14v-8"/>`,
	"mail":     `<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7 8 6 8-6"/>`,
	"badge":    `<path d="m12 3 2.4 2 3.1-.2.8 3 2.5 1.9-1.2 2.8 1.2 2.9-2.5 1.8-.8 3-3.1-.2-2.4 2-2.4-2-3.1.2-.8-3-2.5-1.8 1.2-2.9-1.2-2.8 2.5-1.9.8-3 3.1.2z" transform="translate(0 -.3) scale(1 .98)"/><path d="m8.6 12 2.4 2.4 4.5-4.8"/>`,
	"careful":  `<path d="M12 4 21 19.5H3z"/><path d="M12 10v4.5M12 17v.01"/>`,
	"note":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8v.01"/>`,
	"endless":  `<path d="M12 12c-2-2.7-3.5-4-5.3-4a4 4 0 0 0 0 8c1.8 0 3.3-1.3 5.3-4s3.5-4 5.3-4a4 4 0 0 1 0 8c-1.8 0-3.3-1.3-5.3-4z"/>`,
	"stop":     `<path d="M8 12.5V6.2a1.5 1.5 0 0 1 3 0V11M11 10.5V4.7a1.5 1.5 0 0 1 3 0V11M14 6.5a1.5 1.5 0 0 1 3 0V12M17 9a1.5 1.5 0 0 1 3 0v5c0 4-2.7 6.8-6.5 6.8-3.3 0-5-1.6-6.5-4.3L4.6 13c-.8-1.500 1-2.700 2.100-1.500L8 13"/>`,
	"pulse":    `<path d="M3 12.5h4l2.5-6 4 11.5 2.7-5.5H21"/>`,
	"key":      `<circle cx="8" cy="8.5" r="4.2"/><path d="m11 11.5 8.5 8.5M16 16.5l2-2M18.5 19l1.5-1.5"/>`,
	"picture":  `<rect x="3.5" y="5" width="17" height="14" rx="2"/><circle cx="8.5" cy="10" r="1.6"/><path d="m4 17 5-4 3.5 2.5L16 12l4.5 4"/>`,
	"paper":    `<path d="M6 3.5h8l4.5 4.5v12.5H6z"/><path d="M14 3.5V8h4.5M9 12.5h6M9 16h4"/>`,
	"undo":     `<path d="M8.5 5 4.5 9l4 4M4.5 9H14a5 5 0 0 1 0 10.5h-3"/>`,
	"save":     `<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14"/>`,
	"print":    `<path d="M7 9V4h10v5M7 16.5H4v-7h16v7h-3M7 14h10v6H7z"/>`,
	"machine":  `<path d="M4 8.5 12 4l8 4.5v7.5L12 20.5 4 16z"/><path d="m4 8.5 8 4.5 8-4.5M12 13v7.5"/>`,
	"door":     `<path d="M6 20.5V4.5h9.5v16M3.5 20.5h17M12.5 12.5v.6"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1"/>`,
	"group":    `<circle cx="8.500" cy="9" r="3"/><circle cx="16" cy="10" r="2.400"/><path d="M3 18.500c.4-3 2.600-4.600 5.500-4.600s5.100 1.600 5.500 4.600M15.500 14.500c2.800 0 4.700 1.400 5.200 4"/>`,
	"language": `<circle cx="12" cy="12" r="8.500"/><path d="M3.500 12h17M12 3.500c2.500 2.500 3.500 5.300 3.500 8.500s-1 6-3.500 8.500c-2.500-2.500-3.500-5.300-3.500-8.500s1-6 3.500-8.500z"/>`,
	"search":   `<circle cx="10.500" cy="10.500" r="6"/><path d="m15 15 5 5"/>`,
	"service":  `<rect x="4" y="4.500" width="16" height="6" rx="1.500"/><rect x="4" y="13.500" width="16" height="6" rx="1.500"/><path d="M7.500 7.500v.01M7.500 16.500v.01"/>`,
}

func icon(name, class string) (template.HTML, error) {
	drawn, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("page: there is no icon %q", name)
	}
	return template.HTML(`<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + drawn + `</svg>`), nil
}

// face is the shape for a person, an app or a thing. The letters are of the name,
// and the tone is of the key: who is renamed keeps it.
func face(kind, key, name string) (template.HTML, error) {
	class := "face"
	switch kind {
	case "person":
	case "app":
		class += " app"
	default:
		return "", fmt.Errorf("page: there is no face for %q", kind)
	}
	h := fnv.New32a()
	h.Write([]byte(key))
	return template.HTML(fmt.Sprintf(`<span class="%s tone-%d" aria-hidden="true">%s</span>`,
		class, h.Sum32()%6+1, template.HTMLEscapeString(initials(name)))), nil
}

// initials are the first letters of the first and the last word, of an e-mail address
// those before the @.
func initials(name string) string {
	local, _, _ := strings.Cut(name, "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	out := string(unicode.ToUpper(first))
	if len(words) > 1 {
		last, _ := utf8.DecodeRuneInString(words[len(words)-1])
		out += string(unicode.ToUpper(last))
	}
	return out
}
