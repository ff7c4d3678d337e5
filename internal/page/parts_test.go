package page

import "testing"

// The letters in a face are those of a name, or of what is before the @ of an address.
func TestTheLettersOfAFace(t *testing.T) {
	for name, want := range map[string]string{
		"Alice Marsh": "AM", "Anna Lena de la Cruz": "AC", "bob@example.com": "B", "dr.osei@surgery.example": "DO",
		"Ärztin": "Ä", "": "?", "@": "?", "???": "?",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: %s, not %s", name, got, want)
		}
	}
}
