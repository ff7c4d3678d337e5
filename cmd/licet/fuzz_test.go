package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfiguration: whatever the file says, it is a configuration that names its
// issuer, or it is told what is wrong with it, and nothing of a secret's file.
//
// Proves SEC-122.
func FuzzConfiguration(f *testing.F) {
	dir := f.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("the canary in the secret\n"), 0o600); err != nil {
		f.Fatal(err)
	}
	const named = "/a-secret"
	for _, text := range []string{
		"", "issuer = \"https://as.example\"\nbehind_proxy = true", "issuer = ''", "issuer = 1", "ISSUER = 'https://as.example'", "issuer = 'https://as.example'\nissuer = 'https://b.example'",
		"issuer = 'http://127.0.0.1:1'\n[lifetimes]\nrpt = '-1m'", "[limits]\nclient = '1/0s'", "[[clients]]\nid = 'c1'\nsecret_file = '" + named + "'\nscopes = ['view']", "[tls]\ncert = '" + named + "'\nkey = '" + named + "'",
		"[[people]]\nemail = 'alice@example.com'\npassword_file = '" + named + "'", "[[claim_issuers]]\nissuer = 'https://x.example'\njwks_file = '" + named + "'",
		"trusted_proxies = ['10.0.0.0/8', 'x']", "mtls = 1", "[mtls]\nlisten = ':1'", "a.b.c = [[[]]]", "\xff\x00",
	} {
		f.Add(text)
	}
	file := filepath.Join(dir, "licet.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, named, secret)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readConfig(file, func(string) (string, bool) { return "", false })
		switch {
		case err == nil && s.as.Issuer == "":
			t.Errorf("%q has no issuer, and is taken", text)
		case err != nil && strings.Contains(err.Error(), "canary") && !strings.Contains(text, "forbids_file"): // the text of policies is no secret
			t.Errorf("%q tells what is in a secret's file: %v", text, err)
		}
	})
}
