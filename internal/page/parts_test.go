package page

import (
	"html/template"
	"testing"
)

// A phrase of ours begins a sentence with a capital letter; an address stays as it is.
func TestASentenceBeginsWithACapital(t *testing.T) {
	for said, want := range map[template.HTML]template.HTML{
		"<b>anyone</b> may <em>see</em>": "<b>Anyone</b> may <em>see</em>", "öffentlich": "Öffentlich", "<b><bdi>bob@example.com</bdi></b> may": "<b><bdi>bob@example.com</bdi></b> may",
		"<bdi>e</bdi>": "<bdi>e</bdi>", "": "", "أي شخص": "أي شخص", "<b>": "<b>", "<b": "<b",
	} {
		if got := begin(said); got != want {
			t.Errorf("%q begins %q, want %q", said, got, want)
		}
	}
}

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
