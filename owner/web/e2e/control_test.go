package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
)

// The control of every other test here: what must not be is found when it is there.
func TestWhatMustNotBeIsFound(t *testing.T) {
	p := visit(t)
	for _, c := range []struct{ name, planted, want string }{
		{"nothing", ``, ""},
		{"a picture without words", `add("main", "img", {src: "/assets/door.svg"})`, "axe image-alt"},
		{"letters that cannot be read", `h1.style.color = "#ccc"`, "axe color-contrast"},
		{"something too wide", `add("main", "p", {textContent: "wide"}).style.inlineSize = "60rem"`, "wide in a window of 320"},
		{"something cut off", `h1.style.overflow = "hidden"; h1.style.whiteSpace = "nowrap"; h1.style.inlineSize = "3rem"`, "is cut off at 48 in <h1"},
		{"a word nobody knows", `h1.append(" with a token")`, "do not know the word token"},
		{"two of one id", `add("main", "p", {id: "main"})`, "two elements with the id main"},
		{"names of tabs over each other", `add("body", "nav", {className: "tabs"}); for (const w of ["One", "Two"]) { const a = add(".tabs", "a", {href: "#main"}), s = document.createElement("span"); s.append(w); a.append(s); a.style.position = "absolute"; }`, "these lie over each other: One, Two"},
		{"a script in the page", `add("head", "script", {}, "window.planted = 1")`, "ContentSecurityPolicyIssue"},
		{"a script in an attribute", `h1.setAttribute("onclick", "1")`, "ContentSecurityPolicyIssue"},
		{"a script that was made of a text", `setTimeout("1")`, "ContentSecurityPolicyIssue"},
		{"a style from elsewhere", `add("head", "link", {rel: "stylesheet", href: "https://styles.example/a.css"})`, "style-src"},
		{"a style in the page", `add("head", "style", {}, "p { color: red }")`, "style-src"},
		{"a picture from elsewhere", `add("main", "img", {alt: "", src: "https://pictures.example/a.png"})`, "img-src"},
		{"an error of a script", `queueMicrotask(() => { throw new Error("planted") })`, "exception"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p.axe == "" && strings.HasPrefix(c.want, "axe") {
				t.Skip("SKIPPED: there is no axe-core here; LICET_AXE is the path of its axe.min.js")
			}
			v := p.visitor(t, way{width: phone, scripts: true})
			v.open("/sign-in")
			v.plant(c.planted)
			problems := strings.Join(v.problems(), "\n")
			if c.want == "" && problems != "" || !strings.Contains(problems, c.want) {
				t.Errorf("found %q, want %q", problems, c.want)
			}
			v.complained()
		})
	}
}

// That the focus is under something, or is not to be seen, is found.
func TestHiddenFocusIsFound(t *testing.T) {
	p := visit(t)
	for name, planted := range map[string]string{
		"covered":  `const c = add("body", "p", {textContent: "over"}); c.style.cssText = ""; c.style.position = "fixed"; c.style.inset = "0"; c.style.background = "white"`,
		"unmarked": `for (const e of document.querySelectorAll("input")) e.style.outline = "none"`,
	} {
		t.Run(name, func(t *testing.T) {
			v := p.visitor(t, way{width: phone, scripts: true, keyboard: true})
			v.open("/sign-in")
			v.plant(planted)
			ask[bool](v, `document.querySelector("#email").focus(), true`)
			stop := ask[struct{ Problem string }](v, "("+focusStop+")('#email')")
			if stop.Problem == "" {
				t.Error("it was not found")
			}
			v.complained()
		})
	}
}

// plant does something as the page itself would.
func (v *visitor) plant(script string) {
	v.t.Helper()
	call(v, runtime.Evaluate, runtime.EvaluateParams{Expression: `{
		const h1 = document.querySelector("h1");
		const add = (to, tag, properties, text = "") => {
			const e = Object.assign(document.createElement(tag), properties);
			if (text) e.append(text);
			document.querySelector(to).append(e);
			return e;
		};
		` + script + `
	}`})
	// What it sets off has happened when the page has been drawn.
	ask[bool](v, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}
