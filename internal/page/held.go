package page

import (
	"slices"
	"strings"
)

// A browser holds the links that were taken in it, by their secrets: whoever is at it
// may use what they open, and need not say who they are.

// cookieLinks has the secrets, with dots between them.
const cookieLinks = "licet-links"

// maxHeld is how many links a browser holds. A new one takes the place of the oldest.
const maxHeld = 16

// Held are the secrets of the links that the browser holds, the newest first.
func (a *Answer) Held() []string {
	said, _ := a.Cookie(cookieLinks)
	held := strings.FieldsFunc(said, func(r rune) bool { return r == '.' })
	return held[:min(len(held), maxHeld)]
}

// Hold makes the browser hold a link.
func (a *Answer) Hold(secret string) {
	a.hold(append([]string{secret}, slices.DeleteFunc(a.Held(), func(s string) bool { return s == secret })...))
}

// Drop makes the browser forget a link.
func (a *Answer) Drop(secret string) {
	a.hold(slices.DeleteFunc(a.Held(), func(s string) bool { return s == secret }))
}

func (a *Answer) hold(secrets []string) {
	age := yearOfSeconds
	if len(secrets) == 0 {
		age = -1
	}
	a.SetCookie(cookieLinks, strings.Join(secrets[:min(len(secrets), maxHeld)], "."), age)
}
