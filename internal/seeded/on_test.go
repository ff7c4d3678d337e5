//go:build seeded

package seeded

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A suite that names a mistake which cannot be made would pass on a build that
// is not broken.
func TestAnUnknownMistakeEndsTheProcess(t *testing.T) {
	for name, known := range map[string]bool{"": true, "ticket-not-spent": true, "ticket-not-burnt": false} {
		again := exec.Command(os.Args[0], "-test.run", "^$")
		again.Env = append(os.Environ(), Variable+"="+name)
		out, err := again.CombinedOutput()
		if (err == nil) != known || !known && !strings.Contains(string(out), name) {
			t.Errorf("%q: %v: %s", name, err, out)
		}
	}
	if len(Names) != 16 {
		t.Errorf("there are %d mistakes, want 16", len(Names))
	}
}
