package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/uma"
)

// target is one server process with one population.
type target struct {
	store string // sqlite or postgres
	size  int    // resources
	dir   string
	cmd   *exec.Cmd

	db  *postgres // nil for sqlite
	url string    // of the database in it

	importRate int // rows/s
	gallery    *http.Server

	issuer  string
	address string // of the issuer
	control string
	world   *world
}

func (t *target) name() string { return fmt.Sprintf("%s %s", t.store, power(t.size)) }

// startServer starts the server on the data directory.
func (t *target) startServer(binary, jwks string, accessLog bool) error {
	t.cmd = exec.Command(binary, "-data", filepath.Join(t.dir, "data"), "-jwks", jwks, fmt.Sprintf("-access-log=%v", accessLog), "-store="+t.url)
	t.cmd.Stderr = nil // to the null device, as cheap as a log can be
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return err
	}
	var is struct{ Issuer, Control string }
	if err := json.NewDecoder(out).Decode(&is); err != nil {
		return errors.Join(fmt.Errorf("the server did not start: %w", err), t.stop())
	}
	t.issuer, t.control = is.Issuer, is.Control
	t.address = strings.TrimPrefix(is.Issuer, "http://")
	return nil
}

// stop ends the server and waits for it.
func (t *target) stop() error {
	if t.cmd == nil || t.cmd.Process == nil {
		return nil
	}
	var err error
	if t.gallery != nil {
		err = t.gallery.Close()
	}
	err = errors.Join(err, t.cmd.Process.Signal(syscall.SIGTERM), t.cmd.Wait())
	t.cmd, t.gallery = nil, nil
	return err
}

// operate calls the control API.
func (t *target) operate(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, t.control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// settle has the server do what it has put off, to write down what was used, and says
// what CPU time that took.
func (t *target) settle() (time.Duration, error) {
	before, err := t.used()
	if err == nil {
		err = t.operate(http.MethodPost, "/settle", nil, nil)
	}
	if err != nil {
		return 0, err
	}
	after, err := t.used()
	return after.CPU - before.CPU, err
}

// tokens issues a token for each account.
func (t *target) tokens(client string, scope uma.Scope, emails []string) ([]string, error) {
	var tokens []string
	err := t.operate(http.MethodPost, "/tokens", map[string]any{"client": client, "scope": scope, "emails": emails}, &tokens)
	return tokens, err
}

// used is what the target's processes have used so far.
type used struct {
	CPU     time.Duration `json:"-"`
	Written int64         `json:"-"`
	Allocs  int64         `json:"allocs"`
	Bytes   int64         `json:"alloc_bytes"`
	Updates int64         `json:"updates"`
	Commits int64         `json:"commits"`
}

func (t *target) used() (u used, err error) {
	if err := t.operate(http.MethodGet, "/used", nil, &u); err != nil {
		return u, err
	}
	if u.CPU, err = cpuTime(t.cmd.Process.Pid); err != nil {
		return u, err
	}
	if u.Written, err = written(t.cmd.Process.Pid); err != nil || t.db == nil {
		return u, err
	}
	cpu, bytes, err := t.db.used()
	u.CPU, u.Written = u.CPU+cpu, u.Written+bytes
	return u, err
}

// usedHere is what this process has used so far.
func usedHere() (u used, err error) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	u.Allocs, u.Bytes = int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())
	u.CPU, err = cpuTime(os.Getpid())
	return u, err
}

// profile writes a CPU profile of the next while into a file.
func (t *target) profile(path string, length time.Duration) error {
	resp, err := http.Get(t.control + "/profile?for=" + length.String())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

// power writes a number as a power of ten, if it is one.
func power(n int) string {
	for e, p := 1, 10; e <= 9; e, p = e+1, p*10 {
		if n == p {
			return fmt.Sprintf("10^%d", e)
		}
	}
	return fmt.Sprint(n)
}
