package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Program is a program under test that runs beside the suite.
type Program struct {
	command *exec.Cmd
	end     chan struct{}
	said    *tail
}

// Start runs a command line; nothing of it is given to a shell.
func Start(line []string) (*Program, error) {
	said := &tail{}
	command := exec.Command(line[0], line[1:]...)
	command.Stdout, command.Stderr = said, said
	command.WaitDelay = time.Second
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Program{command: command, end: make(chan struct{}), said: said}
	go func() {
		defer close(p.end)
		_ = command.Wait() // ended by Stop, or noticed by Ready
	}()
	return p, nil
}

// Ready waits until the program answers anything at an address.
func (p *Program) Ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			return nil
		}
		select {
		case <-p.end:
			return fmt.Errorf("the program under test ended: %s", p.said)
		case <-ctx.Done():
			return fmt.Errorf("the program under test does not answer at %s: %w: %s", address, err, p.said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the program.
func (p *Program) Stop() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.end
}

// Output is a program that ran to its end.
type Output struct {
	OK     bool // exit status 0
	Stdout string
	Stderr string
}

// Run runs a command line to its end, or kills it when it takes too long.
func Run(ctx context.Context, limit time.Duration, line []string) (Output, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out, faults tail
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Stdout, command.Stderr, command.WaitDelay = &out, &faults, time.Second
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Output{}, err
	}
	return Output{OK: err == nil, Stdout: out.String(), Stderr: faults.String()}, nil
}

// tail keeps the last of what a program says.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxTail = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(b)
	if over := t.text.Len() - maxTail; over > 0 {
		t.text.Next(over)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.text.String())
}

// Replace puts values into the arguments of a command line: {name} becomes the
// value.
func Replace(line []string, values map[string]string) []string {
	out := make([]string, len(line))
	for i, word := range line {
		for name, value := range values {
			word = strings.ReplaceAll(word, "{"+name+"}", value)
		}
		out[i] = word
	}
	return out
}

// NotLoopback returns an address of this machine that is none of loopback; ok
// is false when it has none.
func NotLoopback() (host string, ok bool) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", false
	}
	for _, a := range addresses {
		n, is := a.(*net.IPNet)
		if is && n.IP.To4() != nil && !n.IP.IsLoopback() && n.IP.IsGlobalUnicast() {
			return n.IP.String(), true
		}
	}
	return "", false
}
