package uma

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxForm is the most bytes that a form or a query may have, and
// maxParameters the most parameters.
const (
	MaxForm       = 64 << 10
	maxParameters = 256
)

// ErrTooLarge is the cause of an [Error] about input over a limit of size, for
// those who want to answer 413.
var ErrTooLarge = errors.New("uma: input over the limit of size")

// Form is a set of parameters, each given once. A parameter that was sent
// without a value is not in it (RFC 6749 3.1). The one that may be given several
// times, resource (RFC 8707 2), has all its values, with a space between them.
type Form map[string]string

// ParseForm reads an application/x-www-form-urlencoded body. Every fault is
// an *Error with the code invalid_request.
func ParseForm(r io.Reader) (Form, error) {
	raw, err := readLimited(r, MaxForm)
	if err != nil {
		return nil, err
	}
	return ParseQuery(string(raw))
}

// ParseQuery reads a form-encoded query string, without the question mark.
func ParseQuery(raw string) (Form, error) {
	if len(raw) > MaxForm {
		return nil, NewError(InvalidRequest, "The request is too large.").Because(ErrTooLarge)
	}
	form := Form{}
	if raw == "" {
		return form, nil
	}
	if strings.Count(raw, "&") >= maxParameters {
		return nil, NewError(InvalidRequest, "There are too many parameters.")
	}
	var empty map[string]bool // those without a value, which are not in the form
	for rest := raw; rest != ""; {
		var pair string
		if pair, rest, _ = strings.Cut(rest, "&"); pair == "" {
			continue
		}
		name, value, err := parsePair(pair)
		if err != nil {
			return nil, err
		}
		before, twice := form[name]
		if (twice || empty[name]) && name != targetParameter {
			return nil, NewError(InvalidRequest, fmt.Sprintf("The parameter %s is given twice.", printable(name)))
		}
		switch {
		case value == "":
			if empty == nil {
				empty = map[string]bool{}
			}
			empty[name] = true
		case twice:
			form[name] = before + " " + value
		default:
			form[name] = value
		}
	}
	return form, nil
}

var errBadPair = NewError(InvalidRequest, "The parameters are not properly form-encoded.")

func parsePair(pair string) (name, value string, err error) {
	// Others take ";" for a separator: what they see as two parameters must not
	// be one here.
	if strings.ContainsRune(pair, ';') {
		return "", "", errBadPair
	}
	rawName, rawValue, _ := strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(rawName); err != nil {
		return "", "", errBadPair.Because(err)
	}
	if value, err = url.QueryUnescape(rawValue); err != nil {
		return "", "", errBadPair.Because(err)
	}
	if name == "" || !clean(name) || !clean(value) {
		return "", "", errBadPair
	}
	return name, value, nil
}

// clean says whether a text is valid UTF-8 without NUL, at which some stores
// would cut it off.
func clean(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// printable shortens a name from outside for use in a description, and drops
// what RFC 6749 5.2 does not allow there.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= 40 {
			break
		}
		if r >= 0x20 && r <= 0x7e && r != '"' && r != '\\' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func readLimited(r io.Reader, limit int) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, NewError(InvalidRequest, "The request could not be read to its end.").Because(err)
	}
	if len(raw) > limit {
		return nil, NewError(InvalidRequest, "The request is too large.").Because(ErrTooLarge)
	}
	return raw, nil
}
