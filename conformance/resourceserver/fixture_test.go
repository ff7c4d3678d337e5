package resourceserver

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
	write(`{"listen":"127.0.0.1:0","api":"photos","owners":{"alice":{}},"read":{"path":"album","owner":"bob"},"foreign":{"path":"/a","owner":"bob"}}`)
	_, err := Load(file)
	if err == nil {
		t.Fatal("the fixture is taken")
	}
	for _, part := range []string{"port 0", "api:", "owners.alice", "read.owner", "read.path", "foreign.owner"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not told: %s", part, err)
		}
	}
	write(`{"listen":"127.0.0.1:1","apis":"x"}`)
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "apis") {
		t.Errorf("a member that is not known: %v", err)
	}
	write(`{"listen":"127.0.0.1:1","api":"http://127.0.0.1:2/","owners":{"alice":{"pat":"p"}},"read":{"path":"/a","owner":"alice"}}`)
	f, err := Load(file)
	if err != nil || f.API != "http://127.0.0.1:2" || f.Read.Method != "GET" {
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
		if !strings.Contains(example, `"listen": "127.0.0.1:9400"`) {
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
