package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/licet/licet/uma"
)

// filler fills the fields of a record, every one with another value.
type filler struct {
	count int
	odd   bool // which half of the booleans is true
	empty bool // lists are empty and everything else is zero
	zero  bool // everything is zero; lists are nil
}

// fillers are the ways in which a record is tried.
var fillers = map[string]filler{
	"full": {}, "full, the other booleans": {odd: true, count: 1000}, "empty lists": {empty: true}, "zero": {zero: true},
}

// awkward is text that badly made queries and documents stumble on.
const awkward = `'";--$1 ?1 :a %_\ <&> é e` + "\u0301" + ` 日本語 ` + "\u200f" + `עברית 👩‍👩‍👧 ` + "\u2028\t\r\n\x7f"

// long is text of more than a page of any database.
var long = strings.Repeat("långt ", 3000)

// fill fills what p points to.
func (f *filler) fill(p any) { f.value(reflect.ValueOf(p).Elem(), reflect.TypeOf(p).Elem().Name()) }

func (f *filler) value(v reflect.Value, path string) {
	f.count++
	if d, ok := v.Addr().Interface().(*uma.ResourceDescription); ok {
		*d = f.description()
		return
	}
	isList := v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8 // no bytes are no bytes, nil or not
	if v.Kind() != reflect.Struct && (f.zero || f.empty && !isList) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d %s", path, f.count, awkward))
	case reflect.Int64:
		v.SetInt(1<<41 + int64(f.count))
	case reflect.Bool:
		v.SetBool(f.count%2 == 1 == f.odd)
	case reflect.Slice:
		f.list(v, path)
	case reflect.Struct:
		f.structure(v, path)
	default:
		panic("storetest: no way to fill " + path)
	}
}

func (f *filler) list(v reflect.Value, path string) {
	size := 3
	if f.empty {
		size = 0
	}
	v.Set(reflect.MakeSlice(v.Type(), size, size))
	for i := range size {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.Index(i).SetUint(uint64([]int{0, 255, f.count % 256}[i]))
			continue
		}
		f.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (f *filler) structure(v reflect.Value, path string) {
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		if !f.empty && !f.zero {
			// In a zone, and finer than a store keeps it.
			*t = time.UnixMilli(1774745999123 + int64(f.count)*86_400_001).Add(999_999).In(time.FixedZone("far", 5*3600+2700))
		}
		return
	}
	for i := range v.NumField() {
		f.value(v.Field(i), path+"."+v.Type().Field(i).Name)
	}
}

// description makes a resource description as the parser makes it.
func (f *filler) description() uma.ResourceDescription {
	members := map[string]any{"resource_scopes": []string{}}
	if !f.zero && !f.empty {
		members = map[string]any{
			"resource_scopes": []string{"view", `!#$%&()*+,-./:;<=>?@[]^_{|}~`, fmt.Sprintf("https://scopes.example/%d?a=1&b=<2>", f.count)},
			"name":            awkward, "name#de": "Bücher <&>", "description": long[:6000], "icon_uri": "https://icons.example/?a=1&b=2",
			"type": "urn:example:" + awkward, "x-unknown": map[string]any{"deep": []any{1, 2.5e10, nil, true, "<&>"}},
		}
	}
	var sent strings.Builder
	e := json.NewEncoder(&sent)
	e.SetEscapeHTML(false)
	if err := e.Encode(members); err != nil {
		panic(err)
	}
	o, err := uma.ParseObject(strings.NewReader(sent.String()))
	if err != nil {
		panic(err)
	}
	d, err := uma.ParseResourceDescription(o)
	if err != nil {
		panic(err)
	}
	return d
}

// stored returns the record as a store gives it back: with its times in UTC and
// cut to the millisecond.
func stored[T any](record T) T {
	settle(reflect.ValueOf(&record).Elem())
	return record
}

func settle(v reflect.Value) {
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		if !t.IsZero() {
			*t = time.UnixMilli(t.UnixMilli()).UTC()
		}
		return
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		for i := range v.Len() {
			settle(v.Index(i))
		}
	}
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[uma.ResourceDescription]() {
		for i := range v.NumField() {
			settle(v.Field(i))
		}
	}
}

// sameTime compares zones too: a time that comes back in another zone prints
// differently.
var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() })

// same fails the scene unless what was read is what was written.
func same(s *scene, what string, got, want any) {
	s.Helper()
	if d := cmp.Diff(want, got, sameTime); d != "" {
		s.Errorf("%s is not what was written (-written +read):\n%s", what, d)
	}
}

// sameSet fails the scene unless the elements read are those wanted, in any
// order.
func sameSet[T any](s *scene, what string, got, want []T) {
	s.Helper()
	byText := cmpopts.SortSlices(func(a, b T) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	if d := cmp.Diff(want, got, sameTime, byText, cmpopts.EquateEmpty()); d != "" {
		s.Errorf("%s: not what is wanted (-wanted +read):\n%s", what, d)
	}
}
