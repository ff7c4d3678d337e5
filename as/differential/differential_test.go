package differential

import (
	"flag"
	"testing"
	"time"
)

var (
	wanted = flag.Int("cases", 5000, "how many assessments to compare")
	only   = flag.Uint64("seed", 0, "one house alone, to look at a difference again")
)

// Proves GRANT-3.3.4-01, GRANT-3.3.4-02, GRANT-3.3.4-03, GRANT-3.3.4-04, GRANT-3.3.4-05,
// SEC-042, FED-4-02, GRANT-3.3.1-11.
func TestTheServerDoesWhatThePlainModelSays(t *testing.T) {
	if *only != 0 {
		if _, err := visit(t.Context(), *only, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		*wanted = min(*wanted, 1500)
	}
	begin := time.Now()
	seen, err := neighbourhood(t, 1, *wanted, nil)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("%d assessments compared, no difference, %.0f each second: %v", seen["assessed"], float64(seen["assessed"])/took.Seconds(), seen)
	for _, what := range []string{
		"granted", "need_info", "request_submitted", "request_denied", "invalid_grant", "invalid_scope", "upgraded", "by a PCT", "in part",
		"after the owner was asked", "refreshed", "introspected as alive", "introspected as dead",
		"taken out of a group", "blocked",
	} {
		if seen[what] == 0 {
			t.Errorf("%s: never happened, so nothing is shown about it", what)
		}
	}
}

// The control: a model that is wrong in one place is found out.
func TestAFaultOfOneSideIsNoticed(t *testing.T) {
	for _, fault := range []string{
		"withdrawals are overlooked", "tickets are used again", "registered scopes are overlooked", "a PCT is for everybody",
		"who left a group stays in it",
	} {
		seen, err := neighbourhood(t, 1, 50_000, func(r *rules) { r.fault = fault })
		if err == nil {
			t.Errorf("%s: not noticed in %d assessments", fault, seen["assessed"])
		}
		t.Logf("%s: noticed within %d assessments", fault, seen["assessed"])
	}
}
