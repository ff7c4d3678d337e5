package postgres

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/licet/licet/store/internal/rows"
)

// The types that columns have, by PostgreSQL's numbers.
const (
	boolType  = 16
	byteaType = 17
	int8Type  = 20
	textType  = 25
)

// encode makes the arguments of a statement, as c.values.
func (c *conn) encode(types []uint32, args []any) error {
	if len(types) != len(args) {
		return fmt.Errorf("%d arguments for %d places", len(args), len(types))
	}
	if c.bytes == nil {
		c.bytes = make([]byte, 0, 512) // of nothing, an empty text would be null
	}
	c.values, c.bytes = c.values[:0], c.bytes[:0]
	for i, a := range args {
		begin := len(c.bytes)
		isType, null, err := c.append(a)
		if err == nil && isType != types[i] {
			err = fmt.Errorf("a %T where the type is %d", a, types[i])
		}
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		if null {
			c.values = append(c.values, nil)
		} else {
			c.values = append(c.values, c.bytes[begin:len(c.bytes):len(c.bytes)])
		}
	}
	return nil
}

// append appends one argument in its binary form.
func (c *conn) append(a any) (isType uint32, null bool, err error) {
	switch v := a.(type) {
	case string:
		c.bytes = appendText(c.bytes, v)
		return textType, false, nil
	case []byte:
		c.bytes = append(c.bytes, v...)
		return byteaType, v == nil, nil
	case int64:
		c.bytes = binary.BigEndian.AppendUint64(c.bytes, uint64(v))
		return int8Type, false, nil
	case int:
		return c.append(int64(v))
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		c.bytes = append(c.bytes, b)
		return boolType, false, nil
	case driver.Valuer:
		made, err := v.Value()
		if err != nil {
			return 0, false, err
		}
		return c.append(made)
	}
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		c.bytes = appendText(c.bytes, v.String())
		return textType, false, nil
	case reflect.Int64:
		c.bytes = binary.BigEndian.AppendUint64(c.bytes, uint64(v.Int()))
		return int8Type, false, nil
	}
	return 0, false, fmt.Errorf("no way to write a %T", a)
}

// A text of PostgreSQL is UTF-8 without zero bytes; a string of ours is any bytes.
// One that is no such text is kept as its bytes in hexadecimal after a mark that
// is no character. So every string is kept, and is found again as itself; only
// among others that are no texts is its order another.
const noText = "\uffff"

func appendText(to []byte, s string) []byte {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.HasPrefix(s, noText) {
		return append(to, s...)
	}
	return hex.AppendEncode(append(to, noText...), []byte(s))
}

func textOf(raw []byte) (string, error) {
	if rest, is := bytes.CutPrefix(raw, []byte(noText)); is {
		s, err := hex.DecodeString(string(rest))
		return string(s), err
	}
	return string(raw), nil
}

// again is a text, and no other than before where it is the same: many rows of one
// query have the same texts. What is kept in another form may look like a text before.
func again(raw []byte, before *string) (string, error) {
	if string(raw) == *before && !bytes.HasPrefix(raw, []byte(noText)) {
		return *before, nil
	}
	s, err := textOf(raw)
	*before = s
	return s, err
}

// assign puts a column into a place of a record; nil is null.
func assign(place any, isType uint32, raw []byte, before *string) error {
	to := reflect.ValueOf(place)
	if to.Kind() != reflect.Pointer {
		return set(place, isType, raw, before)
	}
	to = to.Elem()
	switch kind := to.Kind(); {
	case raw == nil && kind == reflect.Slice:
		to.SetZero()
	case raw == nil:
		return errors.New("nothing is there")
	case isType == textType && kind == reflect.String:
		s, err := again(raw, before)
		if err != nil {
			return err
		}
		to.SetString(s)
	case isType == int8Type && kind == reflect.Int64 && len(raw) == 8:
		to.SetInt(int64(binary.BigEndian.Uint64(raw)))
	case isType == boolType && kind == reflect.Bool && len(raw) == 1:
		to.SetBool(raw[0] != 0)
	case isType == byteaType && kind == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8:
		to.SetBytes(bytes.Clone(raw))
	default:
		return fmt.Errorf("type %d, %d bytes, cannot be read into a %T", isType, len(raw), place)
	}
	return nil
}

// set gives a column to a place that reads it by itself.
func set(place any, isType uint32, raw []byte, before *string) error {
	switch p := place.(type) {
	case rows.Number:
		if isType == int8Type && len(raw) == 8 {
			return p.SetNumber(int64(binary.BigEndian.Uint64(raw)))
		}
	case rows.Text:
		if isType == textType && raw != nil {
			s, err := again(raw, before)
			if err != nil {
				return err
			}
			return p.SetText(s)
		}
	}
	return fmt.Errorf("type %d, %d bytes, is not for a %T", isType, len(raw), place)
}
