package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgres is a PostgreSQL server of the run's own, as it comes: every commit is
// on the disk before it is acknowledged.
type postgres struct {
	dir string
	cmd *exec.Cmd
	as  *syscall.Credential // nil: as whoever runs this
}

// startPostgres starts a server in a directory of its own.
func startPostgres() (*postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "licet-bench-pg-")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir}
	if err := p.start(bin); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *postgres) start(bin string) (err error) {
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		if p.as, err = unprivileged(); err != nil {
			return err
		}
		if err := os.Chown(p.dir, int(p.as.Uid), int(p.as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(p.dir, "data")
	out, err := p.command(bin, "initdb", "-D", data, "-U", "licet", "-A", "trust", "-E", "UTF8", "--locale=C").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p.cmd = p.command(bin, "postgres", "-D", data, "-k", p.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	return p.cmd.Start()
}

func (p *postgres) command(bin, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Dir = p.dir
	if p.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	}
	return cmd
}

// postgresPrograms finds the directory with initdb and postgres, the newest
// first.
func postgresPrograms() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Reverse(dirs)
	for _, dir := range append(dirs, filepath.SplitList(os.Getenv("PATH"))...) {
		_, errI := exec.LookPath(filepath.Join(dir, "initdb"))
		_, errP := exec.LookPath(filepath.Join(dir, "postgres"))
		if errI == nil && errP == nil {
			return dir, nil
		}
	}
	return "", errors.New("there is no initdb and postgres on PATH or in /usr/lib/postgresql")
}

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
	return nil, errors.New("PostgreSQL does not run as root, and neither the user postgres nor nobody is there")
}

// database makes a database and returns its URL.
func (p *postgres) database(name string) (string, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return "", err
	}
	begin := time.Now()
	for {
		out, err := p.command(bin, "createdb", "-h", p.dir, "-U", "licet", name).CombinedOutput()
		if err == nil {
			return "postgres:///" + name + "?" + url.Values{"host": {p.dir}, "user": {"licet"}}.Encode(), nil
		}
		if time.Since(begin) > patience {
			return "", fmt.Errorf("createdb: %w\n%s", err, out)
		}
		time.Sleep(100 * time.Millisecond) // it may not answer yet
	}
}

func (p *postgres) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil { // "fast"
		return err
	}
	return errors.Join(p.cmd.Wait(), os.RemoveAll(p.dir))
}

// used is the CPU time of all its processes, those that have ended included, and
// what those that run have written.
func (p *postgres) used() (cpu time.Duration, bytes int64, err error) {
	main := p.cmd.Process.Pid
	if cpu, err = endedChildren(main); err != nil {
		return 0, 0, err
	}
	pids, err := children(main)
	if err != nil {
		return 0, 0, err
	}
	for _, pid := range append(pids, main) {
		one, err := cpuTime(pid)
		if err != nil && pid != main {
			continue // it has ended meanwhile, and is the main process's from now on
		}
		if err != nil {
			return 0, 0, err
		}
		cpu += one
		if n, err := written(pid); err == nil {
			bytes += n
		}
	}
	return cpu, bytes, nil
}

// children lists the processes that a process has started.
func children(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	var out []int
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		out = append(out, child)
	}
	return out, nil
}

// endedChildren is the CPU time of the processes that a process has started and
// that have ended: cutime and cstime of proc(5).
func endedChildren(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may be anything
	fields := strings.Fields(rest)
	const cutime, jiffy = 13, 10 * time.Millisecond
	if len(fields) < cutime+2 {
		return 0, errors.New("/proc/PID/stat is not as proc(5) says")
	}
	user, errU := strconv.Atoi(fields[cutime])
	system, errS := strconv.Atoi(fields[cutime+1])
	return time.Duration(user+system) * jiffy, errors.Join(errU, errS)
}
