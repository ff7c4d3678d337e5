package uma_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/licet/licet/uma"
)

// refused checks that an error is what the protocol may say: an *uma.Error of
// this code, with a sentence whose characters RFC 6749 5.2 allows.
func refused(t *testing.T, what string, err error, code uma.Code) *uma.Error {
	t.Helper()
	var e *uma.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%.200s: got the error %v, want %s", what, err, code)
		return &uma.Error{}
	}
	if e.Description == "" || strings.ContainsFunc(e.Description, notInDescriptions) {
		t.Errorf("%.200s: the sentence %q cannot be an error_description", what, e.Description)
	}
	return e
}

func notInDescriptions(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

func TestParameterGivenTwiceIsRefusedByItsName(t *testing.T) {
	for _, raw := range []string{
		"ticket=a&ticket=b", "ticket=a&ticket=a", "ticket=&ticket=a", "ticket=a&ticket", "ticket&ticket=",
		"ticket=a&x=1&%74icket=b", "x=1&ticket=a&&ticket=b&",
	} {
		form, err := uma.ParseQuery(raw)
		e := refused(t, raw, err, uma.InvalidRequest)
		if !strings.Contains(e.Description, "ticket") || form != nil {
			t.Errorf("%s: %q with the form %v", raw, e.Description, form)
		}
	}
}

// What is wrong with a name is told without what could not stand in a header.
func TestParameterNameFromOutsideIsShownTamed(t *testing.T) {
	name := url.QueryEscape("a\"\\\r\né" + strings.Repeat("x", 100))
	_, err := uma.ParseQuery(name + "=1&" + name + "=2")
	e := refused(t, name, err, uma.InvalidRequest)
	if want := "The parameter a" + strings.Repeat("x", 39) + " is given twice."; e.Description != want {
		t.Errorf("got %q, want %q", e.Description, want)
	}
}

// Proves GEN-1.1-01.
func TestParameterNamesAndValuesAreComparedByteForByte(t *testing.T) {
	form, err := uma.ParseQuery("ticket=a&Ticket=b&TICKET=c&GRANT_TYPE=" + strings.ToUpper(uma.GrantType))
	if err != nil {
		t.Fatal(err)
	}
	if form["ticket"] != "a" || form["Ticket"] != "b" || form["TICKET"] != "c" || form["grant_type"] != "" {
		t.Errorf("got %v", form)
	}
	if form["GRANT_TYPE"] == uma.GrantType {
		t.Error("a value changed its case")
	}
}

func TestParameterWithoutAValueIsOmitted(t *testing.T) {
	form, err := uma.ParseQuery("a=&b&c=1&d=%20")
	if err != nil {
		t.Fatal(err)
	}
	if want := (uma.Form{"c": "1", "d": " "}); !maps.Equal(form, want) {
		t.Errorf("got %v, want %v", form, want)
	}
}

func TestMalformedFormIsRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"half an escape":         "a=%4",
		"no escape":              "a=%zz",
		"no escape in the name":  "%zz=a",
		"invalid UTF-8":          "a=%ff",
		"raw invalid UTF-8":      "a=\xff",
		"invalid UTF-8 name":     "%c3%28=a",
		"overlong UTF-8":         "a=%c0%af",
		"half a surrogate pair":  "a=%ed%a0%80",
		"NUL":                    "a=b%00c",
		"NUL in the name":        "a%00=b",
		"raw NUL":                "a=\x00",
		"semicolon as separator": "a=1;b=2",
		"semicolon in a value":   "a=1&b=2;",
		"no name":                "=1",
		"a name that is nothing": "=",
	} {
		form, err := uma.ParseQuery(raw)
		refused(t, name, err, uma.InvalidRequest)
		if form != nil {
			t.Errorf("%s: a form came with the error: %v", name, form)
		}
	}
}

func TestEscapedSemicolonIsACharacterLikeOthers(t *testing.T) {
	form, err := uma.ParseQuery("a=1%3Bb%3D2&c=%26")
	if err != nil || form["a"] != "1;b=2" || form["c"] != "&" || len(form) != 2 {
		t.Errorf("got %v and the error %v", form, err)
	}
}

func TestFormIsLimitedInBytes(t *testing.T) {
	most := "a=" + strings.Repeat("x", uma.MaxForm-2)
	if form, err := uma.ParseForm(strings.NewReader(most)); err != nil || len(form["a"]) != uma.MaxForm-2 {
		t.Errorf("a form of MaxForm bytes: %v", err)
	}
	_, err := uma.ParseForm(strings.NewReader(most + "x"))
	if refused(t, "a byte more", err, uma.InvalidRequest); !errors.Is(err, uma.ErrTooLarge) {
		t.Errorf("a byte more: %v is no ErrTooLarge", err)
	}
	_, err = uma.ParseQuery(most + "x")
	if refused(t, "a byte more in a query", err, uma.InvalidRequest); !errors.Is(err, uma.ErrTooLarge) {
		t.Errorf("a byte more in a query: %v is no ErrTooLarge", err)
	}
	endless := &counting{from: endless('a')}
	if _, err = uma.ParseForm(endless); !errors.Is(err, uma.ErrTooLarge) || endless.n > 2*uma.MaxForm {
		t.Errorf("an endless form: %d bytes were read until %v", endless.n, err)
	}
}

func TestFormIsLimitedInParameters(t *testing.T) {
	parameters := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "&p%d=1", i)
		}
		return b.String()[1:]
	}
	if form, err := uma.ParseQuery(parameters(256)); err != nil || len(form) != 256 {
		t.Errorf("256 parameters: %d and the error %v", len(form), err)
	}
	_, err := uma.ParseQuery(parameters(257))
	refused(t, "257 parameters", err, uma.InvalidRequest)
	_, err = uma.ParseQuery(strings.Repeat("&", 1000))
	refused(t, "separators alone", err, uma.InvalidRequest)
}

func TestFormThatBreaksOffIsRefused(t *testing.T) {
	gone := errors.New("gone")
	_, err := uma.ParseForm(io.MultiReader(strings.NewReader("a=1"), iotest.ErrReader(gone)))
	if refused(t, "broken off", err, uma.InvalidRequest); !errors.Is(err, gone) {
		t.Errorf("%v does not tell the cause", err)
	}
}

func TestEmptyFormHasNoParameters(t *testing.T) {
	if form, err := uma.ParseForm(strings.NewReader("")); err != nil || form == nil || len(form) != 0 {
		t.Errorf("got %v and the error %v", form, err)
	}
}

// endless is a reader of one byte, again and again.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// counting counts what is read.
type counting struct {
	from io.Reader
	n    int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += n
	return n, err
}
