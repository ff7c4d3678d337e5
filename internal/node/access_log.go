package node

import (
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Logged logs each request that was answered: who asked for what, and what came
// of it. Queries, headers and bodies are never looked at: tickets, codes and
// tokens travel there.
func Logged(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, answer := time.Now(), &answer{ResponseWriter: w}
		method, path := shorten(r.Method), shorten(r.URL.Path)
		next.ServeHTTP(answer, r)
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = r.RemoteAddr
		}
		if !log.Enabled(r.Context(), slog.LevelInfo) {
			return
		}
		end := time.Now()
		line := slog.NewRecord(end, slog.LevelInfo, "request", 0) // where in the program it was logged is not looked up
		line.AddAttrs(slog.String("method", method), slog.String("path", path), slog.Int("status", answer.code()),
			slog.Int64("bytes", answer.bytes), slog.Int64("ms", end.Sub(begin).Milliseconds()), slog.String("from", from))
		_ = log.Handler().Handle(r.Context(), line) // a log that cannot be written has nobody to tell
	})
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
