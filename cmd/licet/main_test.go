package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary stand in for the command, so that tests run the
// real thing in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("LICET_TEST_AS_COMMAND") == "1" {
		main()
	}
	testscript.Main(m, map[string]func(){"licet": main})
}

func TestTheCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// process is a running licet.
type process struct {
	*exec.Cmd
	t      *testing.T
	stderr *log
	exited chan error
}

// log is what a process writes, readable while it does.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs licet with arguments and environment variables.
func start(t *testing.T, stdout io.Writer, env []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), t: t, stderr: &log{}, exited: make(chan error, 1)}
	p.Env = append(append(os.Environ(), "LICET_TEST_AS_COMMAND=1"), env...)
	p.Stdout, p.Stderr = stdout, p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.Wait() }()
	t.Cleanup(func() { p.kill() })
	return p
}

// kill ends the process as a power cut would, and waits for its end.
func (p *process) kill() {
	_ = p.Process.Kill() // it may be over already
	err := <-p.exited
	p.exited <- err
}

// ready waits until a URL answers 200, and returns how long that took.
func (p *process) ready(url string) time.Duration {
	p.t.Helper()
	begin := time.Now()
	for time.Since(begin) < 20*time.Second {
		resp, err := http.Get(url)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(begin)
			}
		}
		select {
		case err := <-p.exited:
			p.exited <- err
			p.t.Fatalf("licet ended: %v\n%s", err, p.stderr)
		case <-time.After(5 * time.Millisecond):
		}
	}
	p.t.Fatalf("%s does not answer\n%s", url, p.stderr)
	return 0
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, _, err := listenLoopback("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serverFiles writes a configuration with one resource server, tied to a space as
// an organisation's own, so that it gets PATs by itself.
func serverConfig(t *testing.T, dir, address, space string) string {
	t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("rs.secret", strings.Repeat("s", 40)+"\n")
	password := write("alice.password", "correct horse\n")
	return write("licet.toml", fmt.Sprintf(`
issuer = "http://%s"
listen = "%s"
data = "%s"

[[people]]
email = "alice@example.com"
name = "Alice"
password_file = "%s"
space = "Alice"

[[clients]]
id = "rs"
name = "Resource server"
secret_file = "%s"
grant_types = ["client_credentials"]
scopes = ["uma_protection"]
space = "%s"
`, address, address, filepath.Join(dir, "data"), password, secret, space))
}

// spaceOf reads the id of the space out of the log, as soon as it is there.
func spaceOf(t *testing.T, log *log) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(log.String()) {
			var entry struct{ Space string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Space != "" {
				return entry.Space
			}
		}
	}
	t.Fatalf("the log names no space:\n%s", log)
	return ""
}

// A server on an empty directory answers soon, and keeps what it has over a
// restart. The time is printed; the bound here is generous, because the machine
// may be busy.
func TestAServerStartsSoonOnAnEmptyDirectoryAndKeepsItsKeys(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	file := serverConfig(t, dir, address, "")
	p := start(t, io.Discard, nil, "serve", "--config", file)
	took := p.ready("http://" + address + "/readyz")
	t.Logf("from start to first answer: %v", took)
	if took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	get := func() string {
		resp, err := http.Get("http://" + address + "/jwks")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	keys := get()
	if rss := residentKiB(t, p.Process.Pid); rss > 0 {
		t.Logf("idle, it holds %d MiB", rss>>10)
		if rss > 60<<10 && !underRace {
			t.Errorf("idle, it holds %d KiB, more than 60 MiB", rss)
		}
	}
	second := start(t, io.Discard, []string{"LICET_LISTEN=127.0.0.1:0"}, "serve", "--config", file)
	if err := <-second.exited; err == nil || !strings.Contains(second.stderr.String(), "in use by another process") {
		t.Errorf("a second server on the same directory: %v %s", err, second.stderr)
	} else {
		second.exited <- err
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-p.exited; err != nil {
		t.Fatalf("it does not stop well: %v\n%s", err, p.stderr)
	}
	p.exited <- nil
	p = start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/livez")
	if get() != keys {
		t.Error("after a restart the keys are others")
	}
}

// residentKiB is how much memory a process holds; 0 where it cannot be told.
func residentKiB(t *testing.T, pid int) int {
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// Proves FED-1.3-01. Plain http is for this machine alone; with a certificate
// the protection API answers TLS and nothing else.
func TestPlainHTTPIsNotServedToTheWorld(t *testing.T) {
	dir := t.TempDir()
	for name, env := range map[string][]string{
		"an http issuer elsewhere":       {"LICET_ISSUER=http://access.example"},
		"an https issuer without TLS":    {"LICET_ISSUER=https://access.example"},
		"a loopback issuer on every net": {"LICET_ISSUER=http://127.0.0.1:1", "LICET_LISTEN=0.0.0.0:0"},
	} {
		p := start(t, io.Discard, append(env, "LICET_DATA="+filepath.Join(dir, "data")), "serve")
		err := <-p.exited
		p.exited <- err
		var failed *exec.ExitError
		if !errors.As(err, &failed) || failed.ExitCode() != 1 {
			t.Errorf("%s: %v %s", name, err, p.stderr)
		}
	}
	cert, key := selfSigned(t, dir)
	address := freeAddress(t)
	start(t, io.Discard, []string{
		"LICET_ISSUER=https://" + address, "LICET_LISTEN=" + address, "LICET_DATA=" + filepath.Join(dir, "data"),
		"LICET_TLS_CERT=" + cert, "LICET_TLS_KEY=" + key,
	}, "serve")
	client := trusting(t, cert)
	for begin := time.Now(); ; {
		resp, err := client.Get("https://" + address + "/.well-known/uma2-configuration")
		if err == nil {
			_ = resp.Body.Close()
			if resp.TLS == nil || resp.StatusCode != http.StatusOK {
				t.Errorf("over TLS: %s", resp.Status)
			}
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if resp, err := http.Get("http://" + address + "/uma/resources"); err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("plain http is answered %s", resp.Status)
		}
	}
}

// Under load the server is killed again and again, without a chance to finish
// anything. Whatever it acknowledged is there afterwards.
func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	const cycles = 20
	dir, address := t.TempDir(), freeAddress(t)
	file := serverConfig(t, dir, address, "")
	p := start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/readyz")
	space := spaceOf(t, p.stderr)
	p.kill()
	file = serverConfig(t, dir, address, space)

	acknowledged := map[string]bool{}
	for range cycles {
		p := start(t, io.Discard, nil, "serve", "--config", file)
		p.ready("http://" + address + "/readyz")
		pat := patOf(t, address)
		var wait sync.WaitGroup
		var mu sync.Mutex
		ctx, stop := context.WithCancel(context.Background())
		for range 8 {
			wait.Go(func() {
				for ctx.Err() == nil {
					if id, ok := registerAt(address, pat); ok {
						mu.Lock()
						acknowledged[id] = true
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(20+rand.IntN(120)) * time.Millisecond)
		p.kill()
		stop()
		wait.Wait()
	}
	p = start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/readyz")
	have := map[string]bool{}
	for _, id := range list(t, address, patOf(t, address)) {
		have[id] = true
	}
	t.Logf("%d writes were acknowledged over %d kills", len(acknowledged), cycles)
	if len(acknowledged) < cycles {
		t.Fatalf("only %d writes were acknowledged: there was no load", len(acknowledged))
	}
	for id := range acknowledged {
		if !have[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
}
