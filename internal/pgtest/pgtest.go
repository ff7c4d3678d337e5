package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// errAbsent: there is no PostgreSQL to start.
var errAbsent = errors.New("pgtest: no initdb and no postgres on PATH or in /usr/lib/postgresql, and LICET_TEST_POSTGRES is not set")

// Database makes an empty database and returns its URL. It is dropped when the
// test ends.
func Database(t testing.TB) string {
	t.Helper()
	server, err := running()
	if errors.Is(err, errAbsent) && os.Getenv("LICET_CI") == "" {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("licet_test_%d_%d", os.Getpid(), made.Add(1))
	Exec(t, server, "create database "+name+" encoding 'UTF8' template template0")
	t.Cleanup(func() { Exec(t, server, "drop database "+name+" with (force)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Exec runs statements on a database, beside whoever else uses it.
func Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// CutOff ends every connection to a database and lets nobody connect, until
// restore is called.
func CutOff(t testing.TB, database string) (restore func()) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	Exec(t, u.String(), "alter database "+name+" with allow_connections false",
		"select pg_terminate_backend(pid) from pg_stat_activity where datname = '"+name+"'")
	return func() { Exec(t, u.String(), "alter database "+name+" with allow_connections true") }
}

var made atomic.Int64

// running returns the URL of the server, and starts it at the first call.
var running = sync.OnceValues(func() (string, error) {
	if set := os.Getenv("LICET_TEST_POSTGRES"); set != "" {
		return set, nil
	}
	initdb, postgres, err := programs()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "licet-pg-")
	if err != nil {
		return "", err
	}
	if err := start(initdb, postgres, dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	server := "postgres:///postgres?" + url.Values{"host": {dir}, "user": {"licet"}}.Encode()
	return server, await(server, dir)
})

// programs finds initdb and postgres, of one version.
func programs() (initdb, postgres string, err error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", "", err
	}
	slices.Reverse(dirs)
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		i, errI := exec.LookPath(filepath.Join(dir, "initdb"))
		p, errP := exec.LookPath(filepath.Join(dir, "postgres"))
		if errI == nil && errP == nil {
			return i, p, nil
		}
	}
	return "", "", errAbsent
}

// script makes the server's files and runs it until its standard input is closed,
// which happens when the process at the other end ends, in whatever way.
const script = `set -e
"$1" -D "$3/data" -U licet -A trust -E UTF8 --locale=C --no-sync >/dev/null
"$2" -D "$3/data" -k "$3" -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200 -c log_min_messages=panic &
cat >/dev/null || true
kill -QUIT $!
wait $! || true
cd / && rm -rf "$3"
`

func start(initdb, postgres, dir string) error {
	cmd := exec.Command("/bin/sh", "-c", script, "sh", initdb, postgres, dir)
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		somebody, err := unprivileged()
		if err != nil {
			return err
		}
		if err := os.Chown(dir, int(somebody.Uid), int(somebody.Gid)); err != nil {
			return err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: somebody}
	}
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	held = append(held, input)
	return cmd.Start()
}

// held are the standard inputs of servers. They are open as long as this process
// lives.
var held []io.Closer

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errU == nil && errG == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("pgtest: neither the user postgres nor nobody is there, and PostgreSQL does not run as root")
}

// await waits until the server answers.
func await(server, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, server)
		if err == nil {
			return c.Close(ctx)
		}
		if ctx.Err() != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("pgtest: the server does not answer: %w\n%s", err, log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
