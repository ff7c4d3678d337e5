package postgres

import "testing"

// A text that is kept in another form is read as itself, also behind a text that looks
// like that form.
func TestATextIsNotTakenForTheOneBefore(t *testing.T) {
	second := noText + "x"
	first := string(appendText(nil, second)) // what the second is kept as
	var before string
	for _, want := range []string{first, second, second, "plain", "plain", first} {
		var got string
		if err := assign(&got, textType, appendText(nil, want), &before); err != nil || got != want {
			t.Errorf("%q is read as %q: %v", want, got, err)
		}
	}
}
