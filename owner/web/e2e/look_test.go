package e2e

import (
	"fmt"
	"strings"
)

// look examines the page as it is now, in the state that is named. It reports what is
// wrong and goes on.
func (v *visitor) look(state string) {
	v.t.Helper()
	for _, problem := range v.problems() {
		v.t.Errorf("%s (%s): %s", state, v.at().Path, problem)
	}
}

// problems is what look finds.
func (v *visitor) problems() []string {
	v.t.Helper()
	found := v.complained()
	found = append(found, ask[[]string](v, fmt.Sprintf("(%s)(%t, %s)", plainLook, v.way.pseudo, quote(v.wantLanguage())))...)
	found = append(found, v.axe()...)
	return append(found, v.complained()...)
}

func (v *visitor) wantLanguage() string {
	switch {
	case v.way.pseudo:
		return "en-XA"
	case v.way.language != "":
		return v.way.language
	default:
		return "en"
	}
}

// axe is what axe-core finds.
func (v *visitor) axe() []string {
	v.t.Helper()
	if v.place.axe == "" {
		if inCI() {
			v.t.Error("there is no axe-core: LICET_AXE is the path of its axe.min.js")
		} else {
			v.t.Log("SKIPPED: axe does not look at this page; LICET_AXE is the path of axe-core's axe.min.js")
		}
		return nil
	}
	if !v.way.scripts {
		v.scripts(true) // for axe; the page's own would have had to run before
		defer v.scripts(false)
	}
	if !ask[bool](v, "typeof axe !== 'undefined'") {
		ask[any](v, v.place.axe+";0")
	}
	return ask[[]string](v, `axe.run(document, {
		runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
		resultTypes: ["violations"],
	}).then(r => r.violations.map(v => "axe " + v.id + ": " + v.help + v.nodes.map(n => "\n\t" + n.html.slice(0, 200) + "\n\t\t" + n.failureSummary.replaceAll("\n", " ")).join("")))`)
}

// protocolWords are those that no person is shown.
var protocolWords = []string{
	"scopes?", "tokens?", "tickets?", "polic(?:y|ies)", "clients?", "grants?", "grant types?", "resource (?:servers?|owners?)", "requesting part(?:y|ies)",
	"authorization servers?", "uma", "oauth", "openid", "rpt", "pat", "pct", "claims?", "redirect", "uri", "introspect\\w*", "csrf", "jwt", "endpoint",
}

// plainLook finds what needs no rule book: what sticks out or is cut off sideways, a
// frame that is not as it should be, words nobody should have to know, and, in the
// language that nobody speaks, what is not in the catalogue. What somebody else wrote
// stands in <bdi>.
var plainLook = `(pseudo, language) => {
	const found = [], root = document.documentElement;
	if (root.scrollWidth > innerWidth) {
		const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility());
		const first = out.find(e => !out.some(o => o !== e && e.contains(o)));
		found.push("the page is " + root.scrollWidth + " wide in a window of " + innerWidth + (first ? ": " + first.outerHTML.slice(0, 120) : ""));
	}
	if (root.lang !== language) found.push("the page is in " + root.lang + ", not in " + language);
	if (root.dir !== (language === "ar" ? "rtl" : "ltr")) found.push("the page runs " + root.dir);
	if (document.querySelectorAll("h1").length !== 1) found.push("there are " + document.querySelectorAll("h1").length + " first headings");
	if (document.title.replace(/[^\p{L}]/gu, "").length < 6) found.push("the title is " + document.title);
	if (document.querySelector("[style], script:not([src]):not([type='application/json'])")) found.push("there is a style or a script in the page");
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push("there are two elements with the id " + id);
	for (const e of document.querySelectorAll("body *")) {
		const s = getComputedStyle(e);
		if (s.clipPath !== "none" || e.closest("svg, .skip, .vh, noscript") || !e.checkVisibility()) continue;
		if (/hidden|clip/.test(s.overflowX) && s.textOverflow !== "ellipsis" && e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !e.matches("input, select, textarea"))
			found.push("something of " + e.scrollWidth + " is cut off at " + e.clientWidth + " in " + e.outerHTML.slice(0, 120));
		const own = [...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim());
		if (!own.length) continue;
		let scrolls = false;
		for (let a = e; a; a = a.parentElement) scrolls ||= /auto|scroll/.test(getComputedStyle(a).overflowX);
		const letters = document.createRange(); // which may stick out of their element
		const rects = own.flatMap(n => (letters.selectNodeContents(n), [...letters.getClientRects()]));
		if (!scrolls && rects.some(r => r.width && (r.left < -1 || r.right > innerWidth + 1))) found.push("this sticks out: " + e.outerHTML.slice(0, 120));
	}
	const tabs = [...document.querySelectorAll(".tabs a > span:not(.count)")].filter(e => e.checkVisibility()).map(e => {
		const letters = document.createRange();
		letters.selectNodeContents(e);
		return [e.textContent, letters.getBoundingClientRect()];
	});
	for (const [i, [name, a]] of tabs.entries()) for (const [other, b] of tabs.slice(i + 1))
		if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push("these lie over each other: " + name + ", " + other);
	const words = /(?<![\p{L}\p{N}])(?:` + strings.Join(protocolWords, "|") + `)(?![\p{L}\p{N}])/iu;
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const parts = [[...document.querySelectorAll("bdi")].reduce((title, e) => title.replaceAll(e.textContent, ""), document.title)];
	while (texts.nextNode()) {
		const n = texts.currentNode, e = n.parentElement;
		if (e.closest("bdi, option[lang], .brand, .mono, script, style, noscript, [aria-hidden=true]") || !e.checkVisibility()) continue;
		parts.push(n.data);
		// Every vowel of a sentence of the catalogue has an accent.
		if (pseudo && /(?<!\p{L})\p{L}*[aeiou]\p{L}*/u.test(n.data) && n.data.trim().length > 2) found.push("this is not in the catalogue: " + n.data.trim());
	}
	for (const e of document.querySelectorAll("[aria-label], [placeholder], [alt]"))
		for (const name of ["aria-label", "placeholder", "alt"]) if (e.getAttribute(name)) parts.push(e.getAttribute(name));
	for (const part of parts) if (words.test(part)) found.push("people do not know the word " + words.exec(part)[0] + ": " + part.trim());
	return found;
}`
