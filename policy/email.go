package policy

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

const claimEmail = "email"

var errNoEmail = errors.New("policy: not an e-mail address that can be compared")

// CanonicalEmail returns the one form in which e-mail addresses are stored and
// compared: without surrounding space and in lower case. Lower case is more
// than the standard promises for the part before the @, but two people whose
// addresses differ in case only do not exist where mail is delivered.
//
// Refused is what two people could read as the same address: anything but
// ASCII, and so every look-alike letter, invisible character and direction mark.
func CanonicalEmail(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 254 || !utf8.ValidString(s) {
		return "", errNoEmail
	}
	if plain(s) {
		return s, nil
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) || r == ' ' {
			return "", errNoEmail
		}
	}
	// Only now: some letters beyond ASCII have a lower case within it.
	s = strings.ToLower(s)
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return "", errNoEmail
	}
	if _, ok := domainOf(s); !ok {
		return "", errNoEmail
	}
	return s, nil
}

// plain says whether an address is in its canonical form beyond doubt, which nearly all
// are where they are compared: two words of letters, digits, +, - and _ with single dots.
func plain(s string) bool {
	at, last := -1, byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '@' && at < 0 && last != '.':
			at, c = i, '.'
		case c == '.' && last != '.', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '-', c == '_':
		default:
			return false
		}
		last = c
	}
	return at > 0 && last != '.'
}

func domainOf(email string) (string, bool) {
	i := strings.LastIndexByte(email, '@')
	if i < 1 || i == len(email)-1 {
		return "", false
	}
	return email[i+1:], true
}

// canonicalValue is the form in which a claim's value is compared. A value that
// has none is compared as it is: it then only equals itself.
func canonicalValue(name, value string) string {
	if name != claimEmail {
		return value
	}
	if domain, ok := strings.CutPrefix(value, "*@"); ok {
		return "*@" + strings.ToLower(domain)
	}
	if c, err := CanonicalEmail(value); err == nil {
		return c
	}
	return value
}
