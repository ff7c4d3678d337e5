package uma

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxJSON is the most bytes a JSON document may have, MaxDepth how deep its
// arrays and objects may be nested.
const (
	MaxJSON  = 256 << 10
	MaxDepth = 16
)

// Object is a JSON object whose member names are compared byte for byte.
type Object map[string]json.RawMessage

var errNotJSON = NewError(InvalidRequest, "The body is not a JSON document.")

// ParseObject reads a JSON object. Every fault is an *Error with the code
// invalid_request: no object, a member given twice at any depth, anything after
// the object, invalid UTF-8, an escape that is no character, more than MaxJSON
// bytes, deeper than MaxDepth.
func ParseObject(r io.Reader) (Object, error) {
	raw, err := parseDocument(r)
	if err != nil {
		return nil, err
	}
	return asObject(raw)
}

// ParseArray reads a JSON array, as strictly as ParseObject.
func ParseArray(r io.Reader) ([]json.RawMessage, error) {
	raw, err := parseDocument(r)
	if err != nil {
		return nil, err
	}
	return asArray(raw)
}

// parseDocument reads one JSON value and checks all of it.
func parseDocument(r io.Reader) (json.RawMessage, error) {
	raw, err := readLimited(r, MaxJSON)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) {
		return nil, NewError(InvalidRequest, "The body is not valid UTF-8.")
	}
	if !json.Valid(raw) {
		return nil, errNotJSON
	}
	if err := checkNesting(raw); err != nil {
		return nil, err
	}
	if !realEscapes(raw) {
		return nil, NewError(InvalidRequest, "The JSON document has an escape that stands for no character.")
	}
	return bytes.TrimSpace(raw), nil
}

// realEscapes says whether every \u escape of a JSON document stands for a
// character. For half a surrogate pair encoding/json puts the replacement
// character, so that different names would become one; and NUL has no place in
// a name, as in forms.
func realEscapes(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		r := escaped(raw[i+1:])
		i += 4
		if utf16.IsSurrogate(r) {
			if !bytes.HasPrefix(raw[i+1:], []byte(`\u`)) || utf16.DecodeRune(r, escaped(raw[i+3:])) == utf8.RuneError {
				return false
			}
			i += 6
		}
		if r == 0 {
			return false
		}
	}
	return true
}

// escaped reads the four digits of an escape in a document that is known to be
// valid.
func escaped(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 32)
	return rune(n)
}

// open is an array or object on the way down to where checkNesting is.
type open struct {
	object bool
	named  bool            // the next string is a value; before, it is a name
	names  int             // of this object, the last of all
	seen   map[string]bool // its names, when there are many
}

// fewNames is up to where names are compared one by one.
const fewNames = 16

// checkNesting walks over a document that is valid JSON, refusing too much depth
// and members given twice. encoding/json would take the last of them without a
// word.
func checkNesting(raw []byte) error {
	var stack [MaxDepth]open
	names := make([][]byte, 0, fewNames)
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if depth == MaxDepth {
				return NewError(InvalidRequest, "The JSON document is nested too deeply.")
			}
			stack[depth] = open{object: raw[i] == '{'}
			depth++
		case '}', ']':
			depth--
			names = names[:len(names)-stack[depth].names]
		case ',':
			stack[depth-1].named = false
		case '"':
			end := endOfString(raw, i)
			if depth > 0 && stack[depth-1].object && !stack[depth-1].named {
				name := raw[i+1 : end-1]
				if bytes.IndexByte(name, '\\') >= 0 {
					text, _ := asString(raw[i:end])
					name = []byte(text)
				}
				o := &stack[depth-1]
				if o.has(name, names) {
					return NewError(InvalidRequest, fmt.Sprintf("The member %s is given twice.", printable(string(name))))
				}
				names = append(names, name)
				o.add(name, names)
			}
			i = end - 1
		}
	}
	return nil
}

// has says whether the object has a member of this name, where the last of names
// are its own.
func (o *open) has(name []byte, names [][]byte) bool {
	if o.seen != nil {
		return o.seen[string(name)]
	}
	return slices.ContainsFunc(names[len(names)-o.names:], func(n []byte) bool { return bytes.Equal(n, name) })
}

// add notes the last of names.
func (o *open) add(name []byte, names [][]byte) {
	o.named = true
	o.names++
	switch {
	case o.seen != nil:
		o.seen[string(name)] = true
	case o.names > fewNames:
		o.seen = map[string]bool{}
		for _, n := range names[len(names)-o.names:] {
			o.seen[string(n)] = true
		}
	}
}

// endOfString returns where the string that begins at i has ended.
func endOfString(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

var errNoObject = NewError(InvalidRequest, "A JSON object is expected.")

// asObject cuts an object into its members. It has been checked by parseDocument,
// as has everything here.
func asObject(raw json.RawMessage) (Object, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errNoObject
	}
	o := Object{}
	for name, value := range members(raw) {
		text, _ := asString(name)
		o[text] = value
	}
	return o, nil
}

// members are the names of an object, in quotation marks, with their values.
func members(raw json.RawMessage) iter.Seq2[json.RawMessage, json.RawMessage] {
	return func(yield func(name, value json.RawMessage) bool) {
		for i := afterSpace(raw, 1); raw[i] != '}'; i = afterSpace(raw, i) {
			if raw[i] == ',' {
				i++
				continue
			}
			name := raw[i:endOfString(raw, i)]
			i = afterSpace(raw, afterSpace(raw, i+len(name))+1) // a colon is between
			end := endOfValue(raw, i)
			if !yield(name, raw[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// isNamed says whether a member's name, in quotation marks, is this one.
func isNamed(name json.RawMessage, want string) bool {
	if bytes.IndexByte(name, '\\') < 0 {
		return string(name[1:len(name)-1]) == want
	}
	text, _ := asString(name)
	return text == want
}

// asArray cuts an array into its elements.
func asArray(raw json.RawMessage) ([]json.RawMessage, error) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, NewError(InvalidRequest, "A JSON array is expected.")
	}
	list := []json.RawMessage{}
	for value := range elements(raw) {
		list = append(list, value)
	}
	return list, nil
}

func elements(raw json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for i := afterSpace(raw, 1); raw[i] != ']'; i = afterSpace(raw, i) {
			if raw[i] == ',' {
				i++
				continue
			}
			end := endOfValue(raw, i)
			if !yield(raw[i:end:end]) {
				return
			}
			i = end
		}
	}
}

func afterSpace(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r' {
		i++
	}
	return i
}

// endOfValue returns where the value that begins at i, inside of an object or an
// array, has ended.
func endOfValue(raw []byte, i int) int {
	depth := 0
	for ; ; i++ {
		switch raw[i] {
		case '"':
			i = endOfString(raw, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of what it is in
			}
			depth--
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue // inside a number or a word, or a colon
		}
		if depth == 0 {
			return i + 1
		}
	}
}

// asString reads a string of a document that parseDocument has checked: without
// an escape it stands there as it is.
func asString(raw json.RawMessage) (value string, ok bool) {
	if len(raw) >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	ok = len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &value) == nil
	return value, ok
}

func wrongType(name, want string) error {
	return NewError(InvalidRequest, fmt.Sprintf("The member %s has to be %s.", printable(name), want))
}

// String returns a string member; ok is false when it is absent. null is a
// wrong type, as everywhere here.
func (o Object) String(name string) (value string, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return "", false, nil
	}
	if value, ok = asString(raw); !ok {
		return "", true, wrongType(name, "a string")
	}
	return value, true, nil
}

// Strings returns a member that is an array of strings.
func (o Object) Strings(name string) (values []string, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return nil, false, nil
	}
	list, err := asArray(raw)
	if err != nil {
		return nil, true, wrongType(name, "an array of strings")
	}
	values = make([]string, len(list))
	for i, item := range list {
		if values[i], ok = asString(item); !ok {
			return nil, true, wrongType(name, "an array of strings")
		}
	}
	return values, true, nil
}

// Int64 returns a member that is an integer, written without fraction and
// exponent.
func (o Object) Int64(name string) (value int64, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return 0, false, nil
	}
	if string(raw) == "null" || json.Unmarshal(raw, &value) != nil {
		return 0, true, wrongType(name, "an integer")
	}
	return value, true, nil
}

// Bool returns a member that is true or false.
func (o Object) Bool(name string) (value, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return false, false, nil
	}
	if string(raw) == "null" || json.Unmarshal(raw, &value) != nil {
		return false, true, wrongType(name, "true or false")
	}
	return value, true, nil
}

// Object returns a member that is an object.
func (o Object) Object(name string) (value Object, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return nil, false, nil
	}
	if value, err = asObject(raw); err != nil {
		return nil, true, wrongType(name, "an object")
	}
	return value, true, nil
}

// Objects returns a member that is an array of objects.
func (o Object) Objects(name string) (values []Object, ok bool, err error) {
	raw, ok := o[name]
	if !ok {
		return nil, false, nil
	}
	list, err := asArray(raw)
	if err != nil {
		return nil, true, wrongType(name, "an array of objects")
	}
	values = make([]Object, len(list))
	for i, item := range list {
		if values[i], err = asObject(item); err != nil {
			return nil, true, wrongType(name, "an array of objects")
		}
	}
	return values, true, nil
}

// OnlyMembers refuses every member that is not named.
func (o Object) OnlyMembers(names ...string) error {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for name := range o {
		if !known[name] {
			return NewError(InvalidRequest, fmt.Sprintf("The member %s is not known here.", printable(name)))
		}
	}
	return nil
}
