// Package e2e is tests alone: the server as it is shipped, and a browser before it.
//
// What a person does at a page is written down once, as a journey of a [visitor],
// and taken in many ways: with and without scripts, on a phone and at a desk, in the
// dark, by the keyboard alone, in a language that runs from right to left, in one
// that nobody speaks, in letters twice as large. After each step the visitor looks at
// the page: what axe finds, what the browser complained of, what sticks out sideways,
// which words nobody should have to know.
//
// The browser is Debian's Chromium, and axe-core comes from LICET_AXE; where they are
// missing the tests say so and are skipped, but not where LICET_CI is set.
package e2e
