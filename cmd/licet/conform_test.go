package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/licet/licet/client"
	"github.com/licet/licet/conformance/report"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// checked are the programs that the tests of licet conform have checked; the
// test binary stands in for them. A command line's last word says what is wrong
// with them.
var checked = map[string]func(args []string) error{"photos": photos, "printer": printer}

// photos is an API: photos ISSUER ADDRESS good|bad.
func photos(args []string) error {
	guard, err := rs.New(rs.Config{
		Issuer: args[0], PAT: rs.StaticPAT{"alice": "pat-of-alice"},
		Route: func(r *http.Request) (rs.Access, error) {
			if r.URL.Path != "/album" {
				return rs.Access{Unprotected: true}, nil
			}
			return rs.Access{Owner: "alice", Needs: []rs.Need{{Resource: "album", Scopes: []uma.Scope{"view"}}}}, nil
		},
	})
	if err != nil {
		return err
	}
	err = guard.Sync(context.Background(), "alice", []rs.Resource{{Key: "album", Scopes: []uma.Scope{"view"}}})
	if err != nil {
		return err
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/album" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("a picture")) // a caller who has gone misses it
	})
	guarded := guard.Guard(api)
	return http.ListenAndServe(args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if args[2] == "bad" && r.Header.Get("Authorization") != "" {
			api(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	}))
}

// printer is a client: printer ISSUER good|bad URL…. The bad one is content with
// any authorization server.
func printer(args []string) error {
	c := client.Config{ClientID: "printer", ClientSecret: "the secret of the printer", Trust: client.Issuers(args[0])}
	if args[1] == "bad" {
		c.Trust = func(string) bool { return true }
	}
	transport, err := client.New(c)
	if err != nil {
		return err
	}
	var faults error
	for _, address := range args[2:] {
		res, err := (&http.Client{Transport: transport}).Get(address)
		if faults = errors.Join(faults, err); err == nil {
			faults = errors.Join(faults, res.Body.Close())
		}
	}
	return faults
}

// conform runs licet conform as a process and returns its report and its exit
// status.
func conform(t *testing.T, suite string, fixture map[string]any, args ...string) (string, int) {
	t.Helper()
	raw, err := json.Marshal(fixture)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], append([]string{"conform", suite, "--fixture", file}, args...)...)
	command.Env = append(os.Environ(), "LICET_TEST_AS_COMMAND=1")
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	t.Logf("%s", &faults)
	return out.String(), command.ProcessState.ExitCode()
}

// The suite is content with this server as licet dev serves it: nothing fails, and
// of what an authorization server must do nothing is left out.
func TestConformIsContentWithTheServer(t *testing.T) {
	out, in := io.Pipe()
	start(t, in, nil, "dev", "--json")
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	var fixture map[string]any
	if err := json.Unmarshal(line, &fixture); err != nil {
		t.Fatal(err)
	}
	text, status := conform(t, "authorization-server", fixture, "--format", "json")
	var found report.Report
	if err := json.Unmarshal([]byte(text), &found); err != nil || status != 0 {
		t.Fatalf("%d %v\n%s", status, err, text)
	}
	if passed := found.Count(report.Pass); passed < 100 {
		t.Errorf("only %d checks passed", passed)
	}
	for _, r := range found.Results {
		if r.Outcome == report.Fail || r.Outcome == report.Skip && strings.HasPrefix(r.Level, "M") {
			t.Errorf("%s: %s %s", r.Line(), r.Detail, r.Messages)
		}
	}
}

// The command tells a good API from a bad one by its exit status, in every form
// of report.
func TestConformTellsAGoodAPIFromABadOne(t *testing.T) {
	address := freeAddress(t)
	fixture := func(how string) map[string]any {
		return map[string]any{
			"listen": "127.0.0.1:0", "api": "http://" + address, "owners": map[string]any{"alice": map[string]any{"pat": "pat-of-alice"}},
			"start": []string{os.Args[0], "photos", "{issuer}", address, how},
			"read":  map[string]any{"path": "/album", "owner": "alice", "scopes": []string{"view"}},
		}
	}
	text, status := conform(t, "resource-server", fixture("good"))
	if status != 0 || !strings.Contains(text, "PASS GRANT-3.5-02") || !strings.Contains(text, " 0 failed") {
		t.Errorf("the good API: %d\n%s", status, text)
	}
	text, status = conform(t, "resource-server", fixture("bad"), "--only", "GRANT-3.5-02", "--only", "FED-5", "--format", "junit")
	var suite struct {
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal([]byte(text), &suite); err != nil || status != 1 || suite.Failures == 0 {
		t.Errorf("the bad API: %d %v\n%s", status, err, text)
	}
	if text, status = conform(t, "resource-server", fixture("good"), "--only", "NOTHING"); status != 1 {
		t.Errorf("without a check: %d\n%s", status, text)
	}
	if text, status = conform(t, "resource-server", map[string]any{"listen": "127.0.0.1:0"}); status != 1 {
		t.Errorf("without a fixture: %d\n%s", status, text)
	}
}

func TestConformTellsAGoodClientFromABadOne(t *testing.T) {
	fixture := func(how string) map[string]any {
		return map[string]any{
			"client": map[string]any{"client_id": "printer", "client_secret": "the secret of the printer"},
			"run":    []string{os.Args[0], "printer", "{issuer}", how, "{url}"},
		}
	}
	text, status := conform(t, "client", fixture("good"))
	if status != 0 || !strings.Contains(text, "PASS GRANT-5-01/untrusted") || !strings.Contains(text, " 0 failed") {
		t.Errorf("the good client: %d\n%s", status, text)
	}
	text, status = conform(t, "client", fixture("bad"), "--only", "GRANT-5-01", "--format", "json")
	var found struct {
		Results []struct{ ID, Outcome string }
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil || status != 1 || len(found.Results) == 0 || found.Results[0].Outcome != "FAIL" {
		t.Errorf("the bad client: %d %v\n%s", status, err, text)
	}
}
