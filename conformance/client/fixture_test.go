package client

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAllThatIsWrongWithAFixtureIsToldAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"run":["printer"],"web":{"fetch":"http://127.0.0.1:1/fetch"}}`)
	_, err := Load(file)
	if err == nil {
		t.Fatal("the fixture is taken")
	}
	for _, part := range []string{"client.client_id", "run:", "web.fetch", "listen_as", "claims_redirect_uri"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not told: %s", part, err)
		}
	}
	write(`{"client":{"client_id":"printer"},"runs":["printer","{url}"]}`)
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "runs") {
		t.Errorf("a member that is not known: %v", err)
	}
	write(`{"client":{"client_id":"printer"},"run":["printer","{url}"]}`)
	if f, err := Load(file); err != nil || f.ClaimName != "email" || f.TimeoutSeconds != 30 {
		t.Errorf("a good fixture: %+v %v", f, err)
	}
}

// The example of the documentation is a fixture.
func TestTheFixtureOfTheDocumentationIsGood(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```json\n")[1:] {
		example, _, _ := strings.Cut(block, "```")
		if !strings.Contains(example, `"pushes_claims": true`) {
			continue
		}
		file := filepath.Join(t.TempDir(), "fixture.json")
		if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("there is no example")
}
