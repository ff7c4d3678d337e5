package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// coldStarts is how often a start is measured.
const coldStarts = 7

// cold starts the product on a target's data, whose server has ended, and on
// nothing, and counts from exec to the first good answer: the introspection of
// an RPT that was issued before, and the discovery document.
func (f *facts) cold(licet string) error {
	t := f.on
	rpt := t.world.rpts[0]
	question := string(request(nil, http.MethodPost, "/introspect", t.world.owners[rpt.resource.owner].pat, typeForm, "token="+rpt.token))
	took, _, err := coldStart(licet, where(filepath.Join(t.dir, "data"), t.url), question, rpt.resource.id)
	if err != nil {
		return err
	}
	f.add(factCold, took, "ms")
	return nil
}

// empty is what a server costs that has nothing to do.
func (f *facts) empty(licet, dir string) error {
	question := string(request(nil, http.MethodGet, "/.well-known/uma2-configuration", "", "", ""))
	took, idle, err := coldStart(licet, where(filepath.Join(dir, "empty"), ""), question, "permission_endpoint")
	if err != nil {
		return err
	}
	binary, err := os.Stat(licet)
	if err != nil {
		return err
	}
	f.add(factColdEmpty, took, "ms")
	f.add(factIdle, float64(idle)/1e6, "MB")
	f.add(factBinary, float64(binary.Size())/1e6, "MB")
	return nil
}

// coldStart starts the server several times and returns the median time in
// milliseconds, and its memory when it has been idle for a while.
func coldStart(licet string, env []string, question, answer string) (took float64, idle int64, err error) {
	var times []float64
	for i := range coldStarts {
		ms, rss, err := startOnce(licet, env, question, answer, i == 0)
		if err != nil {
			return 0, 0, err
		}
		times = append(times, ms)
		idle = max(idle, rss)
	}
	return median(times), idle, nil
}

func startOnce(licet string, env []string, question, answer string, rest bool) (ms float64, idle int64, err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(licet, "serve")
	cmd.Env = append(append(os.Environ(), env...), "LICET_LISTEN="+address, "LICET_ISSUER=http://"+address)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()) }()
	for {
		if w, err := dial(address); err == nil {
			status, body, err := w.do([]byte(question))
			took := time.Since(begin)
			if err := errors.Join(err, w.close()); err != nil {
				return 0, 0, err
			}
			if status != http.StatusOK || !bytes.Contains(body, []byte(answer)) {
				return 0, 0, wrong("a cold start", status, body)
			}
			ms = float64(took) / 1e6
			break
		}
		if time.Since(begin) > patience {
			return 0, 0, fmt.Errorf("%s serve does not answer", licet)
		}
		time.Sleep(500 * time.Microsecond)
	}
	if rest {
		time.Sleep(2 * time.Second)
		idle, err = resident(cmd.Process.Pid)
	}
	return ms, idle, err
}

// where tells the product where its data are.
func where(data, url string) []string {
	env := []string{"LICET_DATA=" + data}
	if url != "" {
		env = append(env, "LICET_STORE="+url)
	}
	return env
}
