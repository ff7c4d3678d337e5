package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

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
	// What a process that is killed leaves behind goes away with the test.
	p.Env = append(append(os.Environ(), "LICET_TEST_AS_COMMAND=1", "TMPDIR="+t.TempDir()), env...)
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
	_ = p.wait()         // killed it was
}

// stop asks the process to end, waits until it has, and returns how it ended.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait waits until the process has ended.
func (p *process) wait() error {
	err := <-p.exited
	p.exited <- err
	return err
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
