package rows

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// ms writes a time, instant reads it.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant reads a time where a row has one.
type instant struct{ to *time.Time }

func (i instant) SetNumber(n int64) error {
	*i.to = time.Time{}
	if n != 0 {
		*i.to = time.UnixMilli(n).UTC()
	}
	return nil
}

// list writes and reads a list as JSON text. nil and empty lists are different
// texts, so that they are different again when they are read.
type list[T any] struct{ of *[]T }

func listOf[T any](v []T) list[T]    { return list[T]{&v} }
func listInto[T any](v *[]T) list[T] { return list[T]{v} }

func (l list[T]) Value() (driver.Value, error) {
	if *l.of == nil { // as most are
		return "null", nil
	}
	if scopes, ok := any(*l.of).([]uma.Scope); ok {
		if text, ok := plain(scopes); ok {
			return text, nil
		}
	}
	return marshal(*l.of)
}

// plain writes scopes of which JSON would escape nothing.
func plain(scopes []uma.Scope) (text string, ok bool) {
	b := make([]byte, 0, 64)
	separator := byte('[')
	for _, scope := range scopes {
		for i := range len(scope) {
			if c := scope[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
				return "", false
			}
		}
		b = append(append(append(b, separator, '"'), scope...), '"')
		separator = ','
	}
	if len(scopes) == 0 {
		b = append(b, '[')
	}
	return string(append(b, ']')), true
}

// readPlain reads scopes that plain has written.
func readPlain(text string) (scopes []uma.Scope, ok bool) {
	text, begins := strings.CutPrefix(text, `["`)
	text, ends := strings.CutSuffix(text, `"]`)
	if !begins || !ends || strings.Contains(text, `\`) {
		return nil, false
	}
	for scope := range strings.SplitSeq(text, `","`) {
		if strings.Contains(scope, `"`) {
			return nil, false
		}
		scopes = append(scopes, uma.Scope(scope))
	}
	return scopes, true
}

// readNamed reads the claims of most shares: that one has one value.
func readNamed(text string) ([]policy.Claim, bool) {
	text, begins := strings.CutPrefix(text, `[{"name":"`)
	name, value, has := strings.Cut(text, `","Values":["`)
	value, ends := strings.CutSuffix(value, `"]}]`)
	if !begins || !has || !ends || strings.ContainsAny(name, `"\`) || strings.ContainsAny(value, `"\`) {
		return nil, false
	}
	return []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: name}, Values: []string{value}}}, true
}

func (l list[T]) SetText(text string) error {
	switch text { // as most are
	case "[]":
		*l.of = []T{}
		return nil
	case "null":
		*l.of = nil
		return nil
	}
	var known bool
	switch of := any(l.of).(type) {
	case *[]uma.Scope:
		*of, known = readPlain(text)
	case *[]policy.Claim:
		*of, known = readNamed(text)
	}
	if known {
		return nil
	}
	return json.Unmarshal([]byte(text), l.of)
}

// description writes and reads a resource description as it was sent.
type description struct{ of *uma.ResourceDescription }

func (d description) Value() (driver.Value, error) {
	if d.of.Members == nil {
		return nil, errors.New("a resource description that no parser made cannot be read again")
	}
	return marshal(d.of.Members)
}

func (d description) SetText(text string) (err error) {
	*d.of, err = uma.ReadResourceDescription([]byte(text))
	return err
}

// marshal writes JSON without escaping <, > and &: that would change what was
// sent, and make it longer than a parser later takes.
func marshal(v any) (driver.Value, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
