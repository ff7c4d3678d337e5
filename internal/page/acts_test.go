package page

import (
	"net/http"
	"slices"
	"testing"
)

// A scope is said in the operator's words, then in ours, and never as it is.
func TestAScopeIsSaidInWords(t *testing.T) {
	p, a, _ := open(t, "https://as.example", http.Header{"Accept-Language": {"de"}})
	p.Words = Words{"urn:x:1": {"en": "look it up", "de": "nachschlagen"}, "urn:x:2": {"en": "look <up>"}, "view": {"en": "gaze"}}
	for scope, want := range map[string]string{
		"urn:x:1": "nachschlagen", "urn:x:2": "look &lt;up&gt;", "view": "gaze", "EDIT": "ändern",
		"urn:x:3": "auf eine Art nutzen, die der Dienst nicht in Worte gefasst hat",
	} {
		if got := a.Act(scope); string(got.Said) != want || got.Known != (scope != "urn:x:3") {
			t.Errorf("%s is said %q, want %q", scope, got.Said, want)
		}
	}
	var order []string
	for _, act := range a.Acts([]string{"delete", "urn:x:3", "update", "read", "edit", "see"}) {
		order = append(order, act.Icon)
	}
	if want := []string{"see", "change", "delete", "careful"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
}

// What things of a type are is said in the operator's words, or not at all.
func TestATypeIsSaidInWordsOrNotAtAll(t *testing.T) {
	p, a, _ := open(t, "https://as.example", http.Header{"Accept-Language": {"de"}})
	p.Kinds = Words{"urn:x:1": {"en": "Readings", "de": "Messwerte"}, "urn:x:2": {"en": "Notes <b>"}}
	for typ, want := range map[string]string{"urn:x:1": "Messwerte", "urn:x:2": "Notes &lt;b&gt;", "urn:x:3": "", "see": "", "": ""} {
		if got := a.Kind(typ); string(got) != want {
			t.Errorf("%s is said %q, want %q", typ, got, want)
		}
	}
}

// A browser holds so many links and no more, the newest first, and forgets what it is
// told to forget.
func TestABrowserHoldsLinks(t *testing.T) {
	_, a, w := open(t, "https://as.example", nil)
	held := func() []string {
		t.Helper()
		lines := w.Header()["Set-Cookie"]
		last, err := http.ParseSetCookie(lines[len(lines)-1])
		if err != nil {
			t.Fatal(err)
		}
		if !last.HttpOnly || !last.Secure || last.SameSite != http.SameSiteLaxMode {
			t.Errorf("the cookie is %v", last)
		}
		a.R.Header.Del("Cookie")
		if last.MaxAge > 0 {
			a.R.AddCookie(last)
		}
		return a.Held()
	}
	for i := range maxHeld + 2 {
		a.Hold(string(rune('a' + i)))
		held()
	}
	a.Hold("c")
	if got := held(); len(got) != maxHeld || got[0] != "c" || got[1] != "r" || slices.Contains(got[1:], "c") {
		t.Errorf("it holds %q", got)
	}
	for _, secret := range held() {
		a.Drop(secret)
		if slices.Contains(held(), secret) {
			t.Errorf("%q is not forgotten", secret)
		}
	}
	if len(a.Held()) != 0 {
		t.Errorf("it holds %q", a.Held())
	}
}
