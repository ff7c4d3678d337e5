package uma_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/licet/licet/uma"
)

// object parses what a test knows to be an object.
func object(t testing.TB, raw string) uma.Object {
	t.Helper()
	o, err := uma.ParseObject(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%.200s: %v", raw, err)
	}
	return o
}

// Proves FED-3.2-09.
func TestMemberGivenTwiceIsRefusedAtEveryDepth(t *testing.T) {
	for _, raw := range []string{
		`{"twice":1,"twice":2}`,
		`{"twice":1,"twice":1}`,
		`{"twice":1,"a":0,"\u0074wice":2}`,
		`{"a":{"twice":1,"b":[],"twice":2}}`,
		`{"a":[{"b":1},{"twice":[],"twice":[]}]}`,
		`{"a":[[[{"c":{"twice":null,"twice":null}}]]]}`,
		`{"x":{"twice":1},"twice":{"twice":1},"twice":0}`,
	} {
		o, err := uma.ParseObject(strings.NewReader(raw))
		e := refused(t, raw, err, uma.InvalidRequest)
		if !strings.Contains(e.Description, "twice") || o != nil {
			t.Errorf("%s: %q with the object %v", raw, e.Description, o)
		}
		_, err = uma.ParseArray(strings.NewReader("[" + raw + "]"))
		refused(t, "["+raw+"]", err, uma.InvalidRequest)
	}
	if _, err := uma.ParseObject(strings.NewReader(`{"a":{"b":1},"b":{"a":1,"A":1},"c":[{"a":1},{"a":1}]}`)); err != nil {
		t.Errorf("the same name in different objects: %v", err)
	}
}

// encoding/json would take a member in any case for the real one.
//
// Proves GEN-1.1-01.
func TestMemberNamesAreComparedByteForByte(t *testing.T) {
	o := object(t, `{"Resource_scopes":["a"],"RESOURCE_SCOPES":["b"],"re\u017fource_scopes":["c"]}`)
	if v, ok, err := o.Strings("resource_scopes"); ok || err != nil {
		t.Errorf("resource_scopes is %v, error %v", v, err)
	}
	_, err := uma.ParseResourceDescription(o)
	refused(t, "Resource_scopes", err, uma.InvalidRequest)
	_, err = uma.ParsePermission(object(t, `{"Resource_id":"x","resource_scopes":[]}`))
	refused(t, "Resource_id", err, uma.InvalidRequest)
	_, err = uma.ParseIntrospection(strings.NewReader(`{"Active":true}`))
	refused(t, "Active", err, uma.InvalidRequest)
	_, err = uma.ParseTokenResponse(strings.NewReader(`{"Access_token":"x","token_type":"Bearer"}`))
	refused(t, "Access_token", err, uma.InvalidRequest)
}

// Proves FED-3.2-09, FED-3.2-10.
func TestAnythingButOneWholeDocumentIsRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                    "",
		"blank":                      " \n",
		"array":                      `[{"a":1}]`,
		"string":                     `"a"`,
		"number":                     `7`,
		"null":                       `null`,
		"two objects":                `{}{}`,
		"two objects on two lines":   "{}\n{}",
		"something after it":         `{} x`,
		"a bracket after it":         `{}]`,
		"NUL after it":               "{}\x00",
		"a backslash after it":       `{}\`,
		"half an escape after it":    `{} "\ud8`,
		"byte order mark":            "\ufeff{}",
		"not closed":                 `{"a":1`,
		"closed otherwise":           `{"a":1]`,
		"string not closed":          `{"a":"b}`,
		"comma at the end":           `{"a":1,}`,
		"comma at the end of a list": `{"a":[1,]}`,
		"comma before":               `{,"a":1}`,
		"no colon":                   `{"a" 1}`,
		"name without quotes":        `{a:1}`,
		"single quotes":              `{'a':1}`,
		"a number for a name":        `{1:1}`,
		"comment":                    `{"a":1/**/}`,
		"no number":                  `{"a":NaN}`,
		"a number with a zero":       `{"a":01}`,
		"a number with a plus":       `{"a":+1}`,
		"no literal":                 `{"a":True}`,
		"raw control character":      "{\"a\":\"\n\"}",
		"no escape":                  `{"a":"\x41"}`,
		"form":                       `a=1&b=2`,
		"invalid UTF-8":              "{\"a\":\"\xff\"}",
		"invalid UTF-8 name":         "{\"\xc0\xaf\":1}",
		"UTF-16":                     "{\x00}\x00",
		"not JSON's space":           "\u00a0{}",
	} {
		o, err := uma.ParseObject(strings.NewReader(raw))
		refused(t, name, err, uma.InvalidRequest)
		if o != nil {
			t.Errorf("%s: an object came with the error: %v", name, o)
		}
	}
	if o := object(t, " \t\r\n{ \"a\" : [ \"x\" , \"y\" ] }\r\n"); len(o) != 1 {
		t.Errorf("space around an object: %v", o)
	}
}

// encoding/json writes the replacement character for half a surrogate pair:
// two names that differ would be one.
func TestEscapeThatIsNoCharacterIsRefused(t *testing.T) {
	for _, raw := range []string{
		`{"a":"\ud800"}`, `{"a":"\ud800\ud800"}`, `{"a":"\udc00\ud800"}`, `{"a":"\ud800x"}`, `{"a":"\ud800\n"}`,
		`{"a":"\ud83d\\ude00"}`, `{"a":["\uD83D"]}`, `{"\uDE00":1}`, `{"a":"\\\ud800"}`, `{"a":"\u0000"}`, `{"a\u0000":1}`,
		`{"a":"\ud83d\ude00\ud83d"}`,
	} {
		_, err := uma.ParseObject(strings.NewReader(raw))
		refused(t, raw, err, uma.InvalidRequest)
	}
	o := object(t, `{"a":"\ud83d\ude00 \uD83D\uDE00 \\ud800 \u00e9 \u0001 \ufffd \"\\\/"}`)
	if s, _, err := o.String("a"); err != nil || s != "😀 😀 \\ud800 é \x01 \ufffd \"\\/" {
		t.Errorf("got %q and the error %v", s, err)
	}
}

func TestDocumentIsLimitedInDepth(t *testing.T) {
	nested := func(open, inside, closed string, n int) string {
		return `{"a":` + strings.Repeat(open, n-1) + inside + strings.Repeat(closed, n-1) + `}`
	}
	for name, raw := range map[string]string{
		"arrays":  nested("[", "1", "]", uma.MaxDepth),
		"objects": nested(`{"a":`, "1", "}", uma.MaxDepth),
	} {
		if _, err := uma.ParseObject(strings.NewReader(raw)); err != nil {
			t.Errorf("%s of depth %d: %v", name, uma.MaxDepth, err)
		}
	}
	for name, raw := range map[string]string{
		"arrays":       nested("[", "1", "]", uma.MaxDepth+1),
		"empty arrays": nested("[", "", "]", uma.MaxDepth+1),
		"objects":      nested(`{"a":`, "1", "}", uma.MaxDepth+1),
	} {
		_, err := uma.ParseObject(strings.NewReader(raw))
		if e := refused(t, name, err, uma.InvalidRequest); !strings.Contains(e.Description, "deep") {
			t.Errorf("%s: %s", name, e.Description)
		}
	}
	_, err := uma.ParseObject(strings.NewReader(`{"a":` + strings.Repeat("[", 200_000)))
	refused(t, "arrays without an end", err, uma.InvalidRequest)
}

// A name that is written in two ways is given twice, however many there are.
func TestAnObjectWithManyMembersHasEachOnce(t *testing.T) {
	for _, n := range []int{1, 2, 16, 17, 18, 1000} {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"m%d":{"m0":[{"m0":1},{"m0":2}]}`, i))
		}
		all := strings.Join(members, ",")
		if _, err := uma.ParseObject(strings.NewReader("{" + all + "}")); err != nil {
			t.Errorf("%d members: %v", n, err)
		}
		for _, again := range []string{`"m0"`, `"\u006d0"`, fmt.Sprintf(`"m%d"`, n-1)} {
			_, err := uma.ParseObject(strings.NewReader("{" + all + "," + again + ":1}"))
			refused(t, fmt.Sprintf("%d members and %s", n, again), err, uma.InvalidRequest)
			_, err = uma.ParseArray(strings.NewReader("[{},{" + all + "," + again + ":1}]"))
			refused(t, fmt.Sprintf("%d members and %s in an array", n, again), err, uma.InvalidRequest)
		}
	}
}

func TestDocumentIsLimitedInBytes(t *testing.T) {
	most := `{"a":"` + strings.Repeat("x", uma.MaxJSON-8) + `"}`
	if _, err := uma.ParseObject(strings.NewReader(most)); err != nil {
		t.Errorf("MaxJSON bytes: %v", err)
	}
	_, err := uma.ParseObject(strings.NewReader(most + " "))
	if refused(t, "a byte more", err, uma.InvalidRequest); !errors.Is(err, uma.ErrTooLarge) {
		t.Errorf("a byte more: %v is no ErrTooLarge", err)
	}
	endless := &counting{from: io.MultiReader(strings.NewReader(`{"a":"`), endless('x'))}
	if _, err = uma.ParseObject(endless); !errors.Is(err, uma.ErrTooLarge) || endless.n > 2*uma.MaxJSON {
		t.Errorf("an endless document: %d bytes were read until %v", endless.n, err)
	}
}

func TestDocumentThatBreaksOffIsRefused(t *testing.T) {
	gone := errors.New("gone")
	_, err := uma.ParseObject(io.MultiReader(strings.NewReader(`{}`), iotest.ErrReader(gone)))
	if refused(t, "broken off", err, uma.InvalidRequest); !errors.Is(err, gone) {
		t.Errorf("%v does not tell the cause", err)
	}
}

func TestArrayIsReadAsStrictlyAsAnObject(t *testing.T) {
	list, err := uma.ParseArray(strings.NewReader(" [1, {\"a\": null} ,\"x\"]\n"))
	if err != nil || len(list) != 3 || string(list[2]) != `"x"` {
		t.Errorf("got %s and the error %v", list, err)
	}
	if list, err := uma.ParseArray(strings.NewReader(`[]`)); err != nil || list == nil || len(list) != 0 {
		t.Errorf("the empty array: %v and the error %v", list, err)
	}
	for _, raw := range []string{``, `{}`, `null`, `"[]"`, `[1][2]`, `[1,]`, `[,1]`, `[1 2]`, "\ufeff[]", "[\"\xff\"]", `["\ud800"]`} {
		_, err := uma.ParseArray(strings.NewReader(raw))
		refused(t, raw, err, uma.InvalidRequest)
	}
}

// A getter gives a value, or says that there is none, or that it is of another
// type. null is of another type, too.
func TestGettersTellAbsentFromWrong(t *testing.T) {
	o := object(t, `{ "string" : "a\u0062" , "empty":"", "integer": -7 , "big":9223372036854775807, "huge":9223372036854775808,
		"fraction":1.0, "exponent":1e3, "true": true , "false":false, "null":null, "object":{"a":1}, "none":[],
		"strings": [ "a" , "b" ], "integers":[1,2], "mixed":["a",1], "nulls":[null], "objects":[ {"a":"b"} , {} ], "arrays":[[]] }`)
	getters := map[string]struct {
		get  func(name string) (any, bool, error)
		good map[string]any
	}{
		"String": {func(n string) (any, bool, error) { return three(o.String(n)) }, map[string]any{"string": "ab", "empty": ""}},
		"Strings": {func(n string) (any, bool, error) { return three(o.Strings(n)) },
			map[string]any{"strings": []string{"a", "b"}, "none": []string{}}},
		"Int64": {func(n string) (any, bool, error) { return three(o.Int64(n)) },
			map[string]any{"integer": int64(-7), "big": int64(1<<63 - 1)}},
		"Bool": {func(n string) (any, bool, error) { return three(o.Bool(n)) }, map[string]any{"true": true, "false": false}},
		"Objects": {func(n string) (any, bool, error) { return three(o.Objects(n)) },
			map[string]any{"objects": []uma.Object{{"a": json.RawMessage(`"b"`)}, {}}, "none": []uma.Object{}}},
	}
	for getter, g := range getters {
		if v, ok, err := g.get("absent"); ok || err != nil || !reflect.ValueOf(v).IsZero() {
			t.Errorf("%s of an absent member: %v, %v, %v", getter, v, ok, err)
		}
		for name := range o {
			v, ok, err := g.get(name)
			if want, good := g.good[name]; good {
				if !ok || err != nil || !reflect.DeepEqual(v, want) {
					t.Errorf("%s(%s) = %#v, %v, %v; want %#v", getter, name, v, ok, err, want)
				}
				continue
			}
			e := refused(t, getter+" "+name, err, uma.InvalidRequest)
			if !ok || !strings.Contains(e.Description, name) || !reflect.ValueOf(v).IsZero() {
				t.Errorf("%s(%s) = %#v, %v, %q", getter, name, v, ok, e.Description)
			}
		}
	}
}

func three[T any](v T, ok bool, err error) (any, bool, error) { return v, ok, err }

func TestClosedDocumentRefusesUnknownMembers(t *testing.T) {
	o := object(t, `{"a":1,"b":2}`)
	if err := o.OnlyMembers("a", "b", "c"); err != nil {
		t.Errorf("known members: %v", err)
	}
	for _, known := range [][]string{{"a"}, {"A", "b"}, {}} {
		refused(t, strings.Join(known, " "), o.OnlyMembers(known...), uma.InvalidRequest)
	}
}

// meaning is what a JSON text says, whatever way it is written.
func meaning(t testing.TB, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%.200s: %v", raw, err)
	}
	return v
}

// written encodes what a test knows can be encoded.
func written(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	return string(raw)
}
