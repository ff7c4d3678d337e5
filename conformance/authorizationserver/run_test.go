package authorizationserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/conformance/authorizationserver"
	"github.com/licet/licet/conformance/report"
)

// licet builds the program once, with all the mistakes that can be switched on.
var licet = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "licet-seeded-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "licet")
	out, err := exec.Command("go", "build", "-tags", "seeded", "-o", program, "github.com/licet/licet/cmd/licet").CombinedOutput()
	if err != nil {
		return "", &buildError{out}
	}
	return program, nil
})

type buildError struct{ out []byte }

func (e *buildError) Error() string { return "building with the tag seeded: " + string(e.out) }

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := licet(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// serve starts licet dev with a mistake, or "" for none, and returns its fixture.
func serve(t *testing.T, seed string) authorizationserver.Fixture {
	t.Helper()
	program, err := licet()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "dev", "--json")
	cmd.Env = append(os.Environ(), "LICET_SEED="+seed)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Logf("licet dev: %v\n%s", err, &stderr)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("licet dev says nothing: %v\n%s", err, &stderr)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	file := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(file, line, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := authorizationserver.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func run(t *testing.T, f authorizationserver.Fixture, only ...string) report.Report {
	t.Helper()
	r, err := authorizationserver.Run(context.Background(), f, only, func(report.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A server in which every mistake is switched off passes every check, and none is
// skipped.
func TestOurServerConforms(t *testing.T) {
	r := run(t, serve(t, ""))
	for _, result := range r.Results {
		if result.Outcome != report.Pass {
			t.Errorf("%s %s\n%s", result.Line(), result.Detail, result.Messages)
		}
	}
	if len(r.Results) < 110 {
		t.Errorf("only %d checks ran", len(r.Results))
	}
}

// caughtBy names for each mistake a check that is about it. Others may notice it,
// too.
var caughtBy = map[string]string{
	"ticket-not-spent":                   "GRANT-5.5-02",
	"ticket-not-rotated":                 "GRANT-3.3.6-09",
	"owner-check-missing":                "SEC-020/owner-get",
	"no-policy-permits":                  "SEC-040",
	"scope-filter-missing":               "GRANT-3.3.1-11",
	"pat-leaks-between-resource-servers": "SEC-020/server-get",
	"permissions-missing":                "FED-5.1.1-03",
	"unsigned-claim-token-accepted":      "SEC-045",
	"foreign-audience-accepted":          "SEC-046",
	"pct-not-bound-to-client":            "GRANT-5.2-03",
	"refresh-revives-withdrawn":          "SEC-051",
	"wrong-upgraded":                     "GRANT-3.3.5-07",
	"claims-redirect-not-exact":          "GRANT-3.3.2-10",
	"csrf-missing":                       "GRANT-5.1-01",
	"zero-scope-granted":                 "SEC-040/zero",
	"array-loses-entries":                "FED-4.1-01",
}

// The suite notices each of the mistakes that builds with the tag seeded can make.
func TestEveryBrokenServerIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it runs the whole suite sixteen times")
	}
	if len(caughtBy) < 16 {
		t.Fatalf("there are %d mistakes", len(caughtBy))
	}
	for seed, want := range caughtBy {
		t.Run(seed, func(t *testing.T) {
			t.Parallel()
			r := run(t, serve(t, seed))
			var failed []string
			for _, result := range r.Results {
				if result.Outcome == report.Fail {
					failed = append(failed, result.ID)
				}
			}
			if !slices.Contains(failed, want) {
				t.Errorf("%s does not notice it; it is noticed by %q", want, failed)
			}
			t.Logf("noticed by %q", failed)
		})
	}
}

// unseen are the binding requirements of an authorization server that nobody can
// look at from outside.
var unseen = map[string]string{
	"GRANT-5.2-01": "how a PCT is kept is not seen from outside",
	"GRANT-5.2-02": "with whom a PCT is shared is not seen from outside, but for the clients of GRANT-5.2-03",
}

// Every binding requirement of an authorization server has a check of its name,
// and every check that is named after a requirement has its level.
func TestEveryBindingRequirementHasACheck(t *testing.T) {
	raw, err := os.ReadFile("../../docs/spec/requirements.tsv")
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]string{}
	for _, c := range authorizationserver.Checks(t) {
		id, _, _ := strings.Cut(c[0], "/")
		levels[id] = c[1]
	}
	binding := 0
	for line := range strings.Lines(string(raw)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		id, level := columns[0], columns[1]
		got, checked := levels[id]
		if checked && got != level {
			t.Errorf("%s is checked as %s, and is %s", id, got, level)
		}
		if (level != "M" && level != "MN") || !strings.Contains(columns[2], "authorization server") {
			continue
		}
		binding++
		if _, excused := unseen[id]; checked == excused {
			t.Errorf("%s %s: there is a check: %v; it is said that nobody can look: %v", id, columns[3], checked, excused)
		}
	}
	if binding < 50 {
		t.Errorf("only %d binding requirements were found", binding)
	}
}

// What is missing in a fixture is told at once.
func TestAFixtureThatIsWrongIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.json")
	raw, err := json.Marshal(map[string]any{"issuer": "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = authorizationserver.Load(file)
	for _, missing := range []string{"pats.alice@rs1", "clients.c1", "policy_endpoint", "claims_provider"} {
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("it is not told that %s is missing: %v", missing, err)
		}
	}
}
