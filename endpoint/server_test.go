package endpoint

import (
	"bytes"
	"testing"

	"github.com/licet/licet/as"
)

// A key or a name that was left empty is no key and no name: there is no server
// that does without.
//
// Proves SEC-122.
func TestAServerWithoutItsKeysDoesNotStart(t *testing.T) {
	w := newWorld(t)
	pages := w.Server.Pages
	for name, c := range map[string]Config{
		"without pages":             {AS: w.AS, SignIn: w.Server.SignIn},
		"with plain http elsewhere": {AS: &as.Server{Config: as.Config{Issuer: "http://as.example"}}, SignIn: w.Server.SignIn, Pages: pages},
		"without an issuer":         {AS: &as.Server{}, SignIn: w.Server.SignIn, Pages: pages},
		"with an issuer of nothing": {AS: &as.Server{Config: as.Config{Issuer: "https://"}}, SignIn: w.Server.SignIn, Pages: pages},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("a server %s starts", name)
		}
	}
	for name, change := range map[string]func(*as.Secrets){
		"without a digest key":         func(s *as.Secrets) { s.Digest = nil },
		"with a short digest key":      func(s *as.Secrets) { s.Digest = s.Digest[:31] },
		"without a sealing key":        func(s *as.Secrets) { s.Seal = nil },
		"with a sealing key of zero":   func(s *as.Secrets) { s.Seal = [][]byte{{}} },
		"with one short key of two":    func(s *as.Secrets) { s.Seal = append(s.Seal, s.Seal[0][:16]) },
		"with a sealing key of 33":     func(s *as.Secrets) { s.Seal = [][]byte{bytes.Repeat([]byte{1}, 33)} },
		"with a nil sealing key added": func(s *as.Secrets) { s.Seal = append(s.Seal, nil) },
	} {
		config := w.AS.Config
		change(&config.Secrets)
		if _, err := as.New(t.Context(), config); err == nil {
			t.Errorf("a server %s starts", name)
		}
	}
	if _, err := New(Config{AS: w.AS, SignIn: w.Server.SignIn, Pages: pages}); err != nil {
		t.Errorf("the control: %v", err)
	}
}
