package rows

import (
	"reflect"
	"testing"

	"github.com/licet/licet/uma"
)

// Whichever way a list of scopes is written, it is the JSON text of the list, and
// whichever way that is read, it is the list.
func TestScopesAreWrittenAndReadAsJSON(t *testing.T) {
	for _, scopes := range [][]uma.Scope{nil, {}, {""}, {"view"}, {"view", "https://example.org/a~b"}, {`a"b`}, {`a\b`}, {"a\tb"}, {"ü", "view"}, {"<&>"}, {`","`}, {`"`, `\`}, {"", ""}} {
		want, err := marshal(scopes)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := listOf(scopes).Value(); got != want || err != nil {
			t.Errorf("%q is written as %v (%v), want %v", scopes, got, err, want)
		}
		got := []uma.Scope{"what was there"}
		if err := listInto(&got).Scan(want); err != nil || !reflect.DeepEqual(got, scopes) {
			t.Errorf("%v is read as %q (%v), want %q", want, got, err, scopes)
		}
	}
}
