package node

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Log is where a log goes, a line of JSON at a time. What is written to it is written
// at once. Of requests there are very many, and to write the line of each by itself
// costs more than to make it, so they wait for each other for a moment, or for
// something else to be written; a server that dies without warning loses so much of
// them.
type Log struct {
	to io.Writer

	mu    sync.Mutex
	lines []byte      // that wait
	late  *time.Timer // ends the moment
}

const (
	// gatherTime is how long a line waits at the most.
	gatherTime = 100 * time.Millisecond
	// gatherBytes is how much waits at the most, with room for one line more.
	gatherBytes = 32 << 10
)

// NewLog makes a log that is written there.
func NewLog(to io.Writer) *Log {
	l := &Log{to: to, lines: make([]byte, 0, gatherBytes+4<<10)}
	l.late = time.AfterFunc(gatherTime, func() { _ = l.Flush() }) // a log that cannot be written has nobody to tell
	return l
}

// Write writes at once, behind what waits.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.flush(); err != nil {
		return 0, err
	}
	return l.to.Write(line)
}

// Flush writes what waits, as has to be done at the end.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *Log) flush() error {
	if len(l.lines) == 0 {
		return nil
	}
	_, err := l.to.Write(l.lines)
	l.lines = l.lines[:0]
	return err
}

// Requests logs each request that was answered: who asked for what, and what came
// of it. Queries, headers and bodies are never looked at: tickets, codes and tokens
// travel there.
func (l *Log) Requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, answer := time.Now(), &answer{ResponseWriter: w}
		method, path := shorten(r.Method), shorten(r.URL.Path)
		next.ServeHTTP(answer, r)
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = r.RemoteAddr
		}
		l.gather(func(b []byte) []byte {
			end := time.Now()
			b = end.AppendFormat(append(b, `{"time":"`...), time.RFC3339Nano)
			b = appendText(append(b, `","level":"INFO","msg":"request","method":`...), method)
			b = appendText(append(b, `,"path":`...), path)
			b = strconv.AppendInt(append(b, `,"status":`...), int64(answer.code()), 10)
			b = strconv.AppendInt(append(b, `,"bytes":`...), answer.bytes, 10)
			b = strconv.AppendInt(append(b, `,"ms":`...), end.Sub(begin).Milliseconds(), 10)
			return append(appendText(append(b, `,"from":`...), from), "}\n"...)
		})
	})
}

// gather appends a line to those that wait.
func (l *Log) gather(line func([]byte) []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		l.late.Reset(gatherTime)
	}
	l.lines = line(l.lines)
	if len(l.lines) >= gatherBytes {
		_ = l.flush() // as above
	}
}

// appendText writes a text as JSON. Most have nothing in them that had to be escaped.
func appendText(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string can always be written
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// maxLogged is more than any method or path of ours has. What a stranger sends
// must not fill the disk.
const maxLogged = 200

func shorten(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged] + "..."
	}
	return s
}

// answer is a ResponseWriter that remembers what was written.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets an http.ResponseController reach what is below.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// code is the status that was answered.
func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK // as net/http does for a handler that writes nothing
	}
	return a.status
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // not for 100 Continue and its like
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}
