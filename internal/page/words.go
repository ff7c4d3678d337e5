package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// The words. The key of a sentence is its English text; words/LANGUAGE/*.json have
// it in the other languages, as a text or by the plural of its first number:
//
//	"%d things are open.": {"one": "%d Ding ist offen.", "other": "%d Dinge sind offen."}
//
// A sentence is ours and may have the tags <b> and <em>; what is put into it is not.

//go:embed words
var wordFiles embed.FS

// Pseudo is English that shows what is not in the catalogue, and what has no room
// to be longer. It is offered to nobody, and spoken to who asks for it.
var pseudo = language.MustParse("en-XA")

// languages are those that are spoken; the first is for who speaks none of them.
var languages = []language.Tag{language.English, language.German, language.French, language.Spanish, language.Arabic, pseudo}

var matcher = language.NewMatcher(languages[:len(languages)-1])

// spoken is a language as the frame offers it: in its own words.
type spoken struct {
	Tag, Name, Dir string
	Now            bool
}

var ownNames = map[language.Tag]string{
	language.English: "English", language.German: "Deutsch", language.French: "Français",
	language.Spanish: "Español", language.Arabic: "العربية",
}

func offered(now language.Tag) []spoken {
	var out []spoken
	for _, tag := range languages {
		if name, ok := ownNames[tag]; ok {
			out = append(out, spoken{tag.String(), name, direction(tag), tag == now})
		}
	}
	return out
}

func direction(tag language.Tag) string {
	if tag == language.Arabic {
		return "rtl"
	}
	return "ltr"
}

// cookieLanguage is the language that somebody chose.
const cookieLanguage = "licet-language"

// yearOfSeconds is how long a choice is remembered.
const yearOfSeconds = 365 * 24 * 60 * 60

// Language is the language of a browser's pages, as BCP 47 has it.
func (p *Pages) Language(r *http.Request) string { return p.languageOf(r).String() }

func (p *Pages) languageOf(r *http.Request) language.Tag {
	if cookie, err := r.Cookie(p.CookieName(cookieLanguage)); err == nil {
		if tag, ok := languageNamed(cookie.Value); ok {
			return tag
		}
	}
	return Preferred(r.Header.Get("Accept-Language"))
}

func languageNamed(name string) (language.Tag, bool) {
	for _, tag := range languages {
		if tag.String() == name {
			return tag, true
		}
	}
	return language.Tag{}, false
}

// Preferred is the language, of those that are spoken, that an Accept-Language
// header or a single language tag prefers.
func Preferred(accept string) language.Tag {
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return languages[0]
	}
	_, i, confidence := matcher.Match(wanted...)
	if confidence == language.No {
		return languages[0]
	}
	return languages[i]
}

// Choose answers the form that chooses a language, and sends the browser back to
// where it was. It reports false, and answers nothing, when nobody speaks it.
func (a *Answer) Choose(name, back string) bool {
	tag, ok := languageNamed(name)
	if ok {
		a.SetCookie(cookieLanguage, tag.String(), yearOfSeconds)
		a.Redirect(a.Within(back))
	}
	return ok
}

// Within is a path with a query below this server's base, or the base: a page that
// asks to be returned to is believed no further.
func (a *Answer) Within(to string) string {
	notInURL := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }
	if !strings.HasPrefix(to, a.pages.base+"/") || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, notInURL) ||
		strings.Contains(to, "/../") || strings.Contains(to, "//") {
		return a.pages.base + "/"
	}
	return to
}

// voice is a language, ready to be spoken.
type voice struct {
	*message.Printer
	sentences map[string]sentence
}

// voices are made when they are first used.
var voices sync.Map // language.Tag to func() voice

func voiceOf(tag language.Tag) voice {
	made, ok := voices.Load(tag)
	if !ok {
		made, _ = voices.LoadOrStore(tag, sync.OnceValue(func() voice { return newVoice(tag) }))
	}
	return made.(func() voice)()
}

func newVoice(tag language.Tag) voice {
	b, sentences := catalog.NewBuilder(catalog.Fallback(tag)), words(tag)
	for key, m := range sentences {
		if err := b.Set(tag, key, m.compiled()...); err != nil {
			panic(fmt.Sprintf("page: %v: %q: %v", tag, key, err))
		}
	}
	printed := tag
	if tag == language.Arabic { // clocks, years and addresses have Latin digits, so counts have them, too
		printed = language.MustParse("ar-u-nu-latn")
	}
	return voice{message.NewPrinter(printed, message.Catalog(b)), sentences}
}

// say says a sentence. The printer is for numbers: it looks at length for what is the
// same for all of them.
func (v voice) say(key, english string, counts bool, args []any) string {
	s, known := v.sentences[key]
	text, one := s[""]
	switch {
	case counts || known && !one:
		return v.Sprintf(message.Key(key, english), args...)
	case !known:
		text = english
	}
	return fmt.Sprintf(text, args...)
}

// Sentence is its argument. It marks a sentence that code says, so that it is looked
// for in every catalogue.
func Sentence(english string) string { return english }

// sentence is one sentence in one language, by the plural of its first number;
// "" is the sentence that has none.
type sentence map[string]string

// UnmarshalJSON reads a text, or texts by their plural.
func (s *sentence) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*s = sentence{"": text}
		return nil
	}
	var forms map[string]string
	if err := json.Unmarshal(raw, &forms); err != nil {
		return err
	}
	if forms["other"] == "" {
		return fmt.Errorf("there is no form for other numbers in %s", raw)
	}
	*s = forms
	return nil
}

func (s sentence) compiled() []catalog.Message {
	if text, ok := s[""]; ok {
		return []catalog.Message{catalog.String(text)}
	}
	var cases []any
	for _, form := range []string{"=0", "=1", "zero", "one", "two", "few", "many", "other"} {
		if text, ok := s[form]; ok {
			cases = append(cases, form, text)
		}
	}
	return []catalog.Message{plural.Selectf(1, "%d", cases...)}
}

// words are the sentences of a language.
func words(tag language.Tag) map[string]sentence {
	out := map[string]sentence{}
	dir := path.Join("words", tag.String())
	if tag == pseudo {
		dir = path.Join("words", languages[0].String())
	}
	files, err := fs.Glob(wordFiles, dir+"/*.json")
	if err != nil {
		panic("page: " + err.Error())
	}
	for _, name := range files {
		raw, err := wordFiles.ReadFile(name)
		if err != nil {
			panic("page: " + err.Error())
		}
		var read map[string]sentence
		if err := json.Unmarshal(raw, &read); err != nil {
			panic(fmt.Sprintf("page: %s: %v", name, err))
		}
		for key, s := range read {
			out[key] = s
		}
	}
	return out
}

// speak says a sentence. Numbers choose its plural and are written as people there
// write them; everything else is escaped, and kept from turning the writing around
// it.
func speak(tag language.Tag, english string, args ...any) template.HTML {
	safe := make([]any, len(args))
	counts := false
	for i, arg := range args {
		switch v := arg.(type) {
		case int, int64:
			safe[i], counts = v, true
		case template.HTML:
			safe[i] = v
		default:
			safe[i] = template.HTML("<bdi>" + template.HTMLEscapeString(fmt.Sprint(v)) + "</bdi>")
		}
	}
	said := voiceOf(tag).say(english, english, counts, safe)
	if tag == pseudo {
		said = strange(said)
	}
	return template.HTML(said) // the sentence is ours and its arguments are escaped
}

// whose says a sentence about what is the reader's own or, while they act for somebody,
// its twin that names them. The name comes last.
func whose(tag language.Tag, name, own, theirs string, args ...any) template.HTML {
	if name == "" {
		return speak(tag, own, args...)
	}
	return speak(tag, theirs, append(slices.Clone(args), name)...)
}

// tell says a text that may have something of somebody else in it: translated when it
// is a sentence of the catalogue to the letter, and escaped when it is not.
func tell(tag language.Tag, text string) template.HTML {
	if ours(tag, text) {
		return speak(tag, text)
	}
	return template.HTML(template.HTMLEscapeString(text))
}

// ours says whether a text is a sentence of the catalogue.
func ours(tag language.Tag, text string) bool {
	if tag == pseudo || tag == language.English {
		tag = language.German // English needs no catalogue for what has no number in it
	}
	_, found := voiceOf(tag).sentences[text]
	return found
}

// strange writes a sentence in letters that are not in it, and makes it longer. Tags
// stay as they are, and so does what was put in.
func strange(said string) string {
	var b strings.Builder
	tag, inside := false, 0
	for i, r := range said {
		switch {
		case r == '<':
			tag = true
			if strings.HasPrefix(said[i:], "<bdi>") {
				inside++
			} else if strings.HasPrefix(said[i:], "</bdi>") {
				inside--
			}
		case r == '>':
			tag = false
		case !tag && inside == 0 && unicode.IsLetter(r):
			if accented, ok := accents[r]; ok {
				r = accented
			}
		}
		b.WriteRune(r)
	}
	return "[" + b.String() + strings.Repeat("~", len(said)/8) + "]"
}

var accents = map[rune]rune{
	'a': 'á', 'e': 'é', 'i': 'í', 'o': 'ó', 'u': 'ú', 'c': 'ç', 'n': 'ñ', 's': 'š', 'y': 'ý', 'z': 'ž',
	'A': 'Á', 'E': 'É', 'I': 'Í', 'O': 'Ó', 'U': 'Ú', 'C': 'Ç', 'N': 'Ñ', 'S': 'Š', 'Y': 'Ý', 'Z': 'Ž',
}
