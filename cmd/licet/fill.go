package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// A decoder of TOML stops at the first value of a wrong type. An operator wants
// to know all of them, and so the values are put into the configuration here.

// fill sets one key of the configuration. It returns what is wrong, each with
// the key's name.
func fill(into reflect.Value, value any, key string) []error {
	switch to := into.Addr().Interface().(type) {
	case *string:
		return set(to, value, key, "text in quotes")
	case *bool:
		return set(to, value, key, "true or false")
	case *duration:
		var text string
		if faults := set(&text, value, key, `a duration such as "10m"`); faults != nil {
			return faults
		}
		if err := to.UnmarshalText([]byte(text)); err != nil {
			return []error{fmt.Errorf("%s: %w", key, err)}
		}
		return nil
	case *rate:
		var text string
		if faults := set(&text, value, key, `a number and a duration such as "600/1m", or "off"`); faults != nil {
			return faults
		}
		if err := to.UnmarshalText([]byte(text)); err != nil {
			return []error{fmt.Errorf("%s: %w", key, err)}
		}
		return nil
	}
	if into.Kind() == reflect.Slice {
		return fillList(into, value, key)
	}
	table, ok := value.(map[string]any)
	if !ok {
		return []error{fmt.Errorf("%s: has to be a table", key)}
	}
	return fillTable(into, table, key+".")
}

func set[T any](to *T, value any, key, what string) []error {
	v, ok := value.(T)
	if !ok {
		return []error{fmt.Errorf("%s: has to be %s", key, what)}
	}
	*to = v
	return nil
}

func fillList(into reflect.Value, value any, key string) []error {
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return []error{fmt.Errorf("%s: has to be a list", key)}
	}
	var faults []error
	out := reflect.MakeSlice(into.Type(), list.Len(), list.Len())
	for i := range list.Len() {
		faults = append(faults, fill(out.Index(i), list.Index(i).Interface(), fmt.Sprintf("%s[%d]", key, i))...)
	}
	into.Set(out)
	return faults
}

// fillTable sets the keys of a table. Names are compared exactly: a key that is
// not known is a mistake and not a wish to be guessed.
func fillTable(into reflect.Value, table map[string]any, prefix string) []error {
	fields := map[string]reflect.Value{}
	for i := range into.NumField() {
		fields[into.Type().Field(i).Tag.Get("toml")] = into.Field(i)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(table)) {
		field, ok := fields[name]
		if !ok {
			faults = append(faults, fmt.Errorf("%s%s: there is no such key", prefix, name))
			continue
		}
		faults = append(faults, fill(field, table[name], prefix+name)...)
	}
	return faults
}

// fromEnvironment sets each key from the variable of its name: lifetimes.rpt is
// LICET_LIFETIMES_RPT. Texts are taken as they are; anything else is written as in
// the file, lists of tables as inline tables. Variables of other names are not
// looked at: an orchestrator may set some that begin alike.
func fromEnvironment(into reflect.Value, prefix string, env func(string) (string, bool)) []error {
	var faults []error
	for i := range into.NumField() {
		field := into.Field(i)
		name := prefix + "_" + strings.ToUpper(into.Type().Field(i).Tag.Get("toml"))
		if _, one := field.Addr().Interface().(*rate); !one && field.Kind() == reflect.Struct {
			faults = append(faults, fromEnvironment(field, name, env)...)
			continue
		}
		if text, ok := env(name); ok {
			faults = append(faults, fillText(field, text, name)...)
		}
	}
	return faults
}

func fillText(field reflect.Value, text, name string) []error {
	switch field.Addr().Interface().(type) {
	case *string, *duration, *rate:
		return fill(field, text, name)
	}
	var table map[string]any
	_, err := toml.Decode("v = "+text, &table)
	if err == nil && len(table) != 1 {
		err = errors.New("has to be one value")
	}
	if err != nil {
		return []error{fmt.Errorf("%s: %w", name, err)}
	}
	return fill(field, table["v"], name)
}
