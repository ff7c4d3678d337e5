package login

import "testing"

// Passkeys belong to a name, over https, or on this machine.
func TestPasskeysBelongToAName(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://as.example":            "as.example",
		"https://as.example:8443/below": "as.example",
		"http://localhost:8080":         "localhost",
		"http://alice.localhost:8080":   "alice.localhost",
		"http://127.0.0.1:8080":         "",
		"https://[::1]:8443":            "",
		"http://as.example":             "",
		"http://notlocalhost":           "",
	} {
		keys, err := relyingParty(issuer)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Login{passkeys: keys}).PasskeysAt(); got != want {
			t.Errorf("for %s they are at %q, want %q", issuer, got, want)
		}
	}
}
