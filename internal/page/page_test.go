package page

import (
	"bytes"
	"compress/gzip"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/language"
)

func open(t *testing.T, issuer string, header http.Header) (*Pages, *Answer, *httptest.ResponseRecorder) {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 9, 47, 0, 0, time.UTC)
	p, err := New(Config{Issuer: u, FormKey: bytes.Repeat([]byte{3}, 32), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/app/things", nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	return p, p.Open(w, r), w
}

func TestFormMayLeadToTheRedirectURIAlone(t *testing.T) {
	for uri, want := range map[string]string{
		"":                              "",
		"https://c1.example/cb?x=1;y":   " https://c1.example",
		"https://c1.example:8443/cb":    " https://c1.example:8443",
		"http://127.0.0.1:49152/cb":     " http://127.0.0.1:49152",
		"http://[::1]:49152/cb":         " http:", // a source has no IPv6 addresses
		"com.example.app:/cb;script":    " com.example.app:",
		"https://c1.example/;'none'/cb": " https://c1.example",
	} {
		if got := formTarget(uri); got != want {
			t.Errorf("%s: %q", uri, got)
		}
	}
}

// Who does not say otherwise gets English; who chose a language gets that one.
func TestThePageSpeaksTheReadersLanguage(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   language.Tag
	}{
		"nothing said":         {nil, language.English},
		"nothing spoken":       {http.Header{"Accept-Language": {"ja"}}, language.English},
		"nonsense":             {http.Header{"Accept-Language": {"\x00;;q=x"}}, language.English},
		"a region":             {http.Header{"Accept-Language": {"de-AT, en;q=0.5"}}, language.German},
		"a second choice":      {http.Header{"Accept-Language": {"ja, ar;q=0.9"}}, language.Arabic},
		"chosen before":        {http.Header{"Accept-Language": {"de"}, "Cookie": {"__Host-licet-language=fr"}}, language.French},
		"chosen and not there": {http.Header{"Accept-Language": {"es"}, "Cookie": {"__Host-licet-language=../x"}}, language.Spanish},
		"the test language":    {http.Header{"Cookie": {"__Host-licet-language=en-XA"}}, pseudo},
	} {
		if _, a, _ := open(t, "https://as.example", c.header); a.lang != c.want {
			t.Errorf("%s: %v, want %v", name, a.lang, c.want)
		}
	}
}

// A sentence is ours; what is put into it is text, whatever it looks like.
func TestWhatIsPutIntoASentenceIsText(t *testing.T) {
	got := speak(language.English, "<b>%s</b> asks you", `<script>&"`)
	if got != "<b><bdi>&lt;script&gt;&amp;&#34;</bdi></b> asks you" {
		t.Errorf("%s", got)
	}
	if got := tell(language.English, "100% <script>"); got != "100% &lt;script&gt;" {
		t.Errorf("a text of somebody else becomes %s", got)
	}
	if got := speak(pseudo, "No"); got == "No" || !strings.HasPrefix(string(got), "[") {
		t.Errorf("the test language says %q", got)
	}
}

func TestADistanceIsSaidInTheWordsOfItsNumber(t *testing.T) {
	_, a, _ := open(t, "https://as.example", http.Header{"Cookie": {"__Host-licet-zone=Europe/Berlin"}})
	for d, want := range map[time.Duration]string{
		0: "just now", -time.Minute: "1 minute ago", -4 * time.Minute: "4 minutes ago", 3 * time.Hour: "in 3 hours",
		24 * time.Hour: "tomorrow", -30 * time.Hour: "yesterday", 30 * 24 * time.Hour: "in 30 days", -47 * time.Hour: "2 days ago",
		729 * 24 * time.Hour: "in 729 days", 1733 * 24 * time.Hour: "in 5 years", -800 * 24 * time.Hour: "2 years ago",
	} {
		if got := a.At(a.now.Add(d)).Away(); got != template.HTML(want) {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	m := a.At(time.Date(2026, 12, 23, 23, 30, 0, 0, time.UTC))
	if got := m.When(); got != "24 December 2026, 00:30" {
		t.Errorf("at the reader's place it is %s", got)
	}
	for tag, want := range map[language.Tag]template.HTML{
		language.German: "24. Dezember 2026, in 31 Tagen", language.French: "24 décembre 2026, dans 31 jours",
		language.Spanish: "24 de diciembre de 2026, en 31 días", language.Arabic: "24 ديسمبر 2026، بعد 31 يومًا",
	} {
		m.lang = tag
		if got := m.Both(); got != want {
			t.Errorf("%v: %s, want %s", tag, got, want)
		}
	}
	m = a.At(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	m.lang = language.French
	if got := m.Date(); got != "1er décembre 2026" {
		t.Errorf("the first of a month in French is %s", got)
	}
}

// Nobody is led away by the form that chooses a language.
func TestTheWayBackIsWithin(t *testing.T) {
	_, a, _ := open(t, "https://as.example/tenant", nil)
	for to, want := range map[string]string{
		"/tenant/app/things?q=x": "/tenant/app/things?q=x", "": "/tenant/", "//evil.example": "/tenant/",
		"https://evil.example": "/tenant/", "/tenant//evil.example": "/tenant/", "/tenant/../x": "/tenant/", "/other": "/tenant/",
		"/tenant/\\evil.example": "/tenant/", "/tenant/a\r\nSet-Cookie: x": "/tenant/",
	} {
		if got := a.Within(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

// A form of another browser, or about something else, is none of this one.
func TestAFormIsOfOneBrowserAndAboutOneThing(t *testing.T) {
	_, a, w := open(t, "https://as.example", nil)
	token := a.Form("/x", "alice")
	if !a.FromHere(token, "/x", "alice") {
		t.Error("the form of this page is refused")
	}
	for name, about := range map[string][]string{"another path": {"/y", "alice"}, "another person": {"/x", "bob"}, "joined": {"/xalice"}} {
		if a.FromHere(token, about...) {
			t.Errorf("a form about %s is taken", name)
		}
	}
	_, other, _ := open(t, "https://as.example", http.Header{"Cookie": {"__Host-" + CookieForm + "=another"}})
	if other.FromHere(token, "/x", "alice") {
		t.Error("a form of another browser is taken")
	}
	if c := w.Result().Cookies(); len(c) != 1 || !c[0].HttpOnly || !c[0].Secure || c[0].Name != "__Host-"+CookieForm {
		t.Errorf("the cookie is %v", c)
	}
}

// A page that does not say what it needs to say is noticed in its test.
func TestAFrameHoldsThePage(t *testing.T) {
	p, a, w := open(t, "https://as.example", nil)
	set := p.Set(fstest.MapFS{"x.html": {Data: []byte(`{{define "title"}}T{{end}}{{define "main"}}<h1>{{.}}</h1>{{end}}`)}})
	a.Show(http.StatusOK, set, "x", Options{Tab: "home", Waiting: 2, Who: "Alice", Done: &Done{Said: "Done", Undo: "/app/undo"}}, "<hi>")
	body := w.Body.String()
	for _, want := range []string{"<h1>&lt;hi&gt;</h1>", `aria-current="page"`, `<html lang="en" dir="ltr">`, "waiting", "Alice", `action="/app/undo"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}

var (
	inTemplates = regexp.MustCompile("\\b(?:t|T) (\"(?:[^\"\\\\]|\\\\.)*\")")
	inCode      = regexp.MustCompile("(?:page\\.Sentence|\\.Say|\\.say)\\((\"(?:[^\"\\\\]|\\\\.)*\")")
	inTwins     = regexp.MustCompile("\\b[wW]hose(?: \\$?\\.For |\\()(\"(?:[^\"\\\\]|\\\\.)*\"),? (\"(?:[^\"\\\\]|\\\\.)*\")")
	inErrors    = regexp.MustCompile("uma\\.NewError\\([\\w.]+, (\"(?:[^\"\\\\]|\\\\.)*\")")
	places      = regexp.MustCompile(`%\[\d+\]`)
	verbs       = regexp.MustCompile(`%(?:\[\d+\])?[sd]|</?(?:b|em)>`)
)

// told are the files whose errors people are told.
var told = regexp.MustCompile(`/(owner/web/\w+|as/(role|invitation|passkey|identity|firstrun|mailcode)|endpoint/(signin|forms|ways))\.go$`)

// sentences finds every sentence that pages of any room say.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		pattern := inCode
		switch {
		case strings.HasSuffix(path, ".html"):
			pattern = inTemplates
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := pattern.FindAllSubmatch(raw, -1)
		for _, m := range inTwins.FindAllSubmatch(raw, -1) {
			found = append(found, [][]byte{m[0], m[1]}, [][]byte{m[0], m[2]})
		}
		if told.MatchString(filepath.ToSlash(path)) {
			found = append(found, inErrors.FindAllSubmatch(raw, -1)...)
		}
		for _, m := range found {
			text := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(string(m[1][1 : len(m[1])-1]))
			out[text] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, month := range months {
		out[month] = "moment.go"
	}
	return out
}

// missing lists what a language cannot say.
func missing(tag language.Tag, all map[string]string) []string {
	known := words(tag)
	var out []string
	for _, text := range slices.Sorted(maps.Keys(all)) {
		if _, ok := known[text]; !ok && !(tag == language.English && !strings.Contains(text, "%d")) {
			out = append(out, text)
		}
	}
	return out
}

// Everything is said in every language, and nothing is lost on the way.
func TestEveryLanguageSaysEverything(t *testing.T) {
	all := sentences(t)
	if len(all) < 40 {
		t.Fatalf("only %d sentences were found", len(all))
	}
	for _, tag := range languages {
		if tag == pseudo {
			continue
		}
		for _, text := range missing(tag, all) {
			t.Errorf("%v: nobody says %q of %s", tag, text, all[text])
		}
		for text, s := range words(tag) {
			for form, said := range s {
				want, got := verbs.FindAllString(text, -1), verbs.FindAllString(places.ReplaceAllString(said, "%"), -1)
				slices.Sort(want)
				slices.Sort(got)
				if text[0] != 'd' && !slices.Equal(want, got) && !(form != "" && strings.Contains(text, "%d")) {
					t.Errorf("%v: %q has other parts than %q", tag, said, text)
				}
			}
		}
	}
}

// The control: a sentence that is in no catalogue is missed.
func TestASentenceThatNobodyTranslatedIsNoticed(t *testing.T) {
	if got := missing(language.German, map[string]string{"nobody has ever said this": "x"}); len(got) != 1 {
		t.Errorf("it is not: %q", got)
	}
}

// protocol are words that are for programs.
var protocol = regexp.MustCompile(`(?i)\b(scopes?|tokens?|tickets?|RPTs?|PATs?|clients?|polic(y|ies)|resources?|servers?|claims?|grants?|requesting part(y|ies)|authoriz\w*|authenticat\w*|credentials?|redirect\w*|URIs?|please|successfully)\b`)

// protocolIn are such words of the other languages.
var protocolIn = map[language.Tag]*regexp.Regexp{
	language.German:  regexp.MustCompile(`(?i)\b(tokens?|tickets?|richtlinien?|clients?|scopes?|geltungsbereich\w*|ressourcen?|servers?|autorisier\w*|authentifizier\w*|datenbank|weiterleitung\w*|bitte (gib|geben|versuch\w*))\b`),
	language.French:  regexp.MustCompile(`(?i)\b(jetons?|tickets?|portées?|clients?|politiques?|ressources?|serveurs?|autorisations?|authentifi\w*|identifiants?|redirection\w*|veuillez)\b`),
	language.Spanish: regexp.MustCompile(`(?i)\b(tokens?|tickets?|ámbitos?|clientes?|políticas?|recursos?|servidor(es)?|autorizaci\w*|autentica\w*|credencial(es)?|redirecci\w*)\b`),
	language.Arabic:  regexp.MustCompile(`الخادم|خوادم|سياسة|العميل|تذكرة|المصادقة|التفويض|بيانات الاعتماد`),
}

// formal is how somebody is spoken to who is not a friend; a German sentence that
// begins with "Sie" and means others is written differently. Arabic has one form.
var formal = map[language.Tag]*regexp.Regexp{
	language.German:  regexp.MustCompile(`\b(Sie|Ihnen|Ihre?[mnrs]?)\b`),
	language.French:  regexp.MustCompile(`(?i)\b(vous|votre|vos|(connect|retourn|saisiss|écriv|regard|recharg|essay|cliqu|choisiss)ez)\b`),
	language.Spanish: regexp.MustCompile(`(?i)\b(usted(es)?|vuelva|inténtelo|cárguela|termínelo|escriba|elija|su sesión)\b`),
}

// saying lists what a language says that matches.
func saying(said map[string]sentence, what *regexp.Regexp) []string {
	var out []string
	for _, s := range said {
		for _, text := range s {
			if what.MatchString(text) {
				out = append(out, text)
			}
		}
	}
	return out
}

// Everybody is spoken to as a friend, and in no language with the words of programs.
func TestEveryLanguageSpeaksAsToAFriend(t *testing.T) {
	for name, rule := range map[string]map[language.Tag]*regexp.Regexp{"formal": formal, "a word of the protocol": protocolIn} {
		for tag, what := range rule {
			for _, text := range saying(words(tag), what) {
				t.Errorf("%v: %q is %s", tag, text, name)
			}
		}
	}
	for text, what := range map[string]*regexp.Regexp{
		"Melden Sie sich an.": formal[language.German], "Si ce n’était pas vous": formal[language.French], "Vuelva atrás": formal[language.Spanish],
		"Dein Token": protocolIn[language.German], "Ton jeton": protocolIn[language.French], "Este cliente": protocolIn[language.Spanish],
		"تعذّر على الخادم أن يجيب.": protocolIn[language.Arabic],
	} {
		if len(saying(map[string]sentence{"x": {"": text}}, what)) != 1 {
			t.Errorf("the control: %q is not noticed", text)
		}
	}
}

// Nobody has to know the words of the specifications.
func TestNoSentenceHasAWordOfTheProtocol(t *testing.T) {
	for text, path := range sentences(t) {
		if word := protocol.FindString(text); word != "" && !strings.Contains(path, "/cmd/") {
			t.Errorf("%s: %q says %q", path, text, word)
		}
	}
	if !protocol.MatchString("Your access token") {
		t.Error("the control: a word of the protocol is not noticed")
	}
}

// A browser shows the tags of a title as they are written, so there are none; what
// somebody else wrote is text in it all the same.
func TestATitleHasNoTags(t *testing.T) {
	pages, a, w := open(t, "https://access.example", nil)
	set := pages.Set(fstest.MapFS{"one.html": {Data: []byte(`{{define "title"}}{{t "Share %s" .}}{{end}}{{define "main"}}{{end}}`)}})
	a.Show(http.StatusOK, set, "one", Options{}, "<i>Sunrise</i> & dusk</title>")
	if want := "<title>Share &lt;i&gt;Sunrise&lt;/i&gt; &amp; dusk&lt;/title&gt; - Licet</title>"; !strings.Contains(w.Body.String(), want) {
		t.Errorf("%.600s, want %s", w.Body, want)
	}
}

// A style sheet comes packed to whoever takes it so, and as it is to who does not.
func TestFilesArePacked(t *testing.T) {
	for accept, packed := range map[string]bool{"gzip, deflate, br": true, "br": false, "": false} {
		pages, _, _ := open(t, "https://access.example", nil)
		r, w := httptest.NewRequest(http.MethodGet, "/assets/licet.css", nil), httptest.NewRecorder()
		r.Header.Set("Accept-Encoding", accept)
		if !pages.ServeAsset(w, r, "licet.css") {
			t.Fatal("there is no style sheet")
		}
		content := w.Body.Bytes()
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("%q: packed is %v", accept, got)
		}
		if packed {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if content, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(content, assets["licet.css"].content) || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: it is another style sheet, or %v", accept, w.Header())
		}
	}
}

// In no language does a sentence begin with a name and a colon, as a telegram does.
func TestEveryLanguageSpeaksInSentences(t *testing.T) {
	telegram := regexp.MustCompile(`^(<b>)?%(\[\d\])?s(</b>)?\s?:\s`)
	for _, tag := range languages {
		for _, text := range saying(words(tag), telegram) {
			t.Errorf("%v: %q is a telegram", tag, text)
		}
	}
	if !telegram.MatchString("%s : fin d’une connexion") || !telegram.MatchString("%s: alles beendet") {
		t.Error("the control: a telegram is not noticed")
	}
}

// What has no number in it is said as the printer would say it.
func TestASentenceIsSaidAsItIsPrinted(t *testing.T) {
	for _, tag := range languages {
		v := voiceOf(tag)
		said := 0
		for _, key := range append(slices.Collect(maps.Keys(voiceOf(language.German).sentences)), "Nobody has said %s to %s.", "100%% of it") {
			if regexp.MustCompile(`%(\[\d\])?d`).MatchString(key) {
				continue
			}
			var args []any
			for i := range strings.Count(key, "%") - 2*strings.Count(key, "%%") {
				args = append(args, template.HTML("<bdi>"+strings.Repeat("x", i+1)+"%s</bdi>"))
			}
			if got, want := v.say(key, key, false, args), v.Sprintf(key, args...); got != want {
				t.Errorf("%v: %q instead of %q", tag, got, want)
			}
			said++
		}
		if said < 100 {
			t.Errorf("%v: %d sentences are said", tag, said)
		}
	}
}
