//go:build seeded

package differential

import (
	"testing"

	"github.com/licet/licet/internal/seeded"
)

// And of the laws: where a resource without a share is open, a share less adds.
func TestASeededMistakeBreaksALaw(t *testing.T) {
	seeded.NoPolicyPermits = true
	defer func() { seeded.NoPolicyPermits = false }()
	if _, broken := judged(t, 1, 40, openedHouse(t, 1, generous), openedHouse(t, 1, nil)); broken == 0 {
		t.Error("no law was broken")
	}
}

// The control from the other side: each of these mistakes of the server is
// found. The others are about what this package does not look at: HTTP, pages,
// and who may call.
func TestASeededMistakeIsADifference(t *testing.T) {
	for _, name := range []string{
		"ticket-not-spent", "ticket-not-rotated", "owner-check-missing", "pat-leaks-between-resource-servers", "no-policy-permits",
		"zero-scope-granted", "scope-filter-missing", "permissions-missing", "unsigned-claim-token-accepted", "foreign-audience-accepted",
		"pct-not-bound-to-client", "refresh-revives-withdrawn", "wrong-upgraded", "array-loses-entries",
	} {
		t.Run(name, func(t *testing.T) {
			on := seeded.Names[name]
			*on = true
			defer func() { *on = false }()
			seen, err := neighbourhood(t, 1, 50_000, nil)
			if err == nil {
				t.Errorf("not noticed in %d assessments", seen["assessed"])
			}
			t.Logf("noticed within %d assessments", seen["assessed"])
		})
	}
}
