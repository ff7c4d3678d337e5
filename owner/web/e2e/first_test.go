package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// brandNew runs a server on which nobody has an account, and returns it with the link
// that it prints for whoever started it.
func (p *place) brandNew(t *testing.T) (*place, string) {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "licet.toml")
	text := fmt.Sprintf("issuer = \"http://localhost:%[1]s\"\nlisten = \"localhost:%[1]s\"\ndata = %[2]q\n", port, filepath.Join(dir, "data"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(p.binary, "serve", "--config", config)
	var said bytes.Buffer
	server.Stderr = &said
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil || bytes.Contains(said.Bytes(), []byte(`"ERROR"`)) {
			t.Errorf("the server ended with %v and had said:\n%s", err, said.Bytes())
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if link := lines.Text(); strings.HasPrefix(link, "http") {
			fresh := *p
			fresh.fixture = fixture{Issuer: "http://localhost:" + port}
			return &fresh, link
		}
	}
	t.Fatalf("the server prints no link:\n%s", said.Bytes())
	return nil, ""
}

// Whoever starts a new server opens the link that it prints, makes the first account,
// and is told at home what comes first. The link is good once.
func TestTheFirstAccountIsMade(t *testing.T) {
	p := visit(t)
	for _, w := range taken(fewWays) {
		t.Run(w.name, func(t *testing.T) {
			fresh, link := p.brandNew(t)
			v := fresh.visitor(t, w)
			v.open(link)
			v.look("nobody lives here")
			v.write("#name", "Olga")
			v.write("#email", "olga@example.com")
			v.follow("#make")
			v.wantAt("/sign-in/ways")
			v.look("the first account")
			if w.scripts {
				v.device()
				v.follow("#add")
				v.want("button[value=remove]")
			}
			v.open("/app/")
			v.want("#first-steps")
			v.look("what comes first")
			if has := v.has("#first-steps a[href$='/sign-in/ways']"); has == w.scripts {
				t.Errorf("a passkey is proposed: %v", has)
			}
			v.open(link)
			v.want("#error")
			v.look("the link is used up")
		})
	}
}
