package licet_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tutorial of the README is executed as it stands. Only the line that builds
// the binary is done before, because the tutorial's files belong into a directory
// that goes away.
func TestTheTutorialOfTheREADMEWorks(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("the tutorial needs %s", tool)
			}
			t.Skipf("NOT TESTED: the README's tutorial, because there is no %s here", tool)
		}
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script.WriteString(block[1])
	}
	const build = "go build -o licet ./cmd/licet\n"
	if strings.Count(script.String(), build) != 1 {
		t.Fatalf("the tutorial does not begin with %q", build)
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "licet"), "./cmd/licet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	bash := exec.Command("bash", "-euo", "pipefail", "-c", "trap 'kill %1' EXIT\n"+strings.Replace(script.String(), build, "", 1))
	bash.Dir = dir
	out, err := bash.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{`"error": "need_info"`, `"active": true`, "it is not permitted any more"} {
		if !strings.Contains(string(out), said) {
			t.Errorf("the tutorial did not come to %q", said)
		}
	}
}
