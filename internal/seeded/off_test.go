//go:build !seeded

package seeded

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// This compiles only if all of them are constants.
const any = TicketNotSpent || TicketNotRotated || OwnerCheckMissing || NoPolicyPermits || ScopeFilterMissing ||
	PATLeaksBetweenResourceServers || PermissionsMissing || UnsignedClaimTokenAccepted || ForeignAudienceAccepted ||
	PCTNotBoundToClient || RefreshRevivesWithdrawn || WrongUpgraded || ClaimsRedirectNotExact || CSRFMissing ||
	ZeroScopeGranted || ArrayLosesEntries

// And this only if all of them are false: true would be there twice.
var _ = map[bool]struct{}{true: {}, any: {}}

// What is built and shipped knows neither the environment variable nor the name
// of a mistake. A build with the tag does, which shows that looking finds them.
func TestTheOrdinaryBuildHasNoSwitch(t *testing.T) {
	for _, tags := range []string{"", "seeded"} {
		binary := filepath.Join(t.TempDir(), "licet")
		build := exec.Command("go", "build", "-tags", tags, "-o", binary, "github.com/licet/licet/cmd/licet")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		program, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		for _, trace := range []string{"LICET_SEED", "refresh-revives-withdrawn"} {
			if bytes.Contains(program, []byte(trace)) != (tags != "") {
				t.Errorf("a build with the tags %q and the words %q: found is %v", tags, trace, tags == "")
			}
		}
	}
}
