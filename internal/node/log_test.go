package node

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// asked sends one request of a path to a handler that answers it with 201 and a word.
func asked(l *Log, path string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL, r.RemoteAddr = &url.URL{Path: path}, "192.0.2.1:7"
	l.Requests(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("word"))
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestTheLineOfARequestWaitsForAMomentAndNotLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := NewLog(&out)
		written := func() string { // the log writes on a goroutine of its own, under its lock
			l.mu.Lock()
			defer l.mu.Unlock()
			return out.String()
		}
		time.Sleep(time.Minute) // it may be idle before
		for _, path := range []string{"/first", "/second"} {
			asked(l, path)
			if strings.Contains(written(), path) {
				t.Error("the line was not gathered")
			}
			time.Sleep(gatherTime)
			synctest.Wait()
			if !strings.Contains(written(), path) {
				t.Errorf("after %v the log is %q", gatherTime, written())
			}
		}
	})
}

func TestWhatElseIsLoggedIsWrittenAtOnceBehindTheRequestsBefore(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out)
	asked(l, "/before")
	slog.New(slog.NewJSONHandler(l, nil)).Error("a fault")
	asked(l, "/after")
	before, fault := strings.Index(out.String(), "/before"), strings.Index(out.String(), "a fault")
	if before < 0 || fault < before {
		t.Errorf("the log is %q", out.String())
	}
	if err := l.Flush(); err != nil || !strings.Contains(out.String(), "/after") {
		t.Errorf("at the end the log is %q: %v", out.String(), err)
	}
}

func TestTheLinesThatWaitDoNotFillTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no time passes
		var out bytes.Buffer
		l := NewLog(&out)
		const requests = 5000
		for range requests {
			asked(l, "/"+strings.Repeat("x", 2*maxLogged))
		}
		if cap(l.lines) > 2*gatherBytes {
			t.Errorf("there is room for %d bytes", cap(l.lines))
		}
		if err := l.Flush(); err != nil || strings.Count(out.String(), "\n") != requests {
			t.Errorf("%d lines of %d: %v", strings.Count(out.String(), "\n"), requests, err)
		}
	})
}

// Proves SEC-115.
func TestWhateverIsAskedForIsOneLineOfJSON(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out)
	paths := []string{
		"/uma/permission", "/ünïcode", `/"quoted"\`, "/\r\n{\"level\":\"INFO\",\"msg\":\"forged\"}\n", "/\x00\x1b[2J\x7f", "/\u2028", "", "/<&>",
	}
	for _, path := range paths {
		asked(l, path)
	}
	asked(l, "/\xff\xfe")
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(paths)+1 {
		t.Fatalf("%d lines of %d requests:\n%s", len(lines), len(paths)+1, out.String())
	}
	for i, path := range append(paths, "/\ufffd\ufffd") {
		var e struct {
			Time                           time.Time
			Level, Msg, Method, Path, From string
			Status, Bytes                  int
		}
		if err := json.Unmarshal([]byte(lines[i]), &e); err != nil {
			t.Errorf("%q: %v", lines[i], err)
		}
		if e.Path != path || e.Level != "INFO" || e.Msg != "request" || e.Method != "GET" || e.From != "192.0.2.1" || e.Status != 201 || e.Bytes != 4 || time.Since(e.Time) > time.Minute {
			t.Errorf("%q is logged as %+v", path, e)
		}
	}
}
