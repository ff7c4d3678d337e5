package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server is a party played by the suite, on an address of its own.
type Server struct {
	URL    string // http://address, without a slash at the end
	server *http.Server
	done   chan struct{}
}

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// Serve starts a server on a TCP address, where port 0 is any free one. Every
// message is in the log before its answer leaves.
func Serve(address, from, name string, l *Log, h http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL: "http://" + listener.Addr().String(), done: make(chan struct{}),
		server: &http.Server{
			Handler: recorded(from, name, l, h), ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: log.New(io.Discard, "", 0), // what goes wrong is in the report
		},
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // ends with Close
	}()
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() {
	_ = s.server.Close()
	<-s.done
}

// recorded runs a handler on a copy of the request and keeps its answer back
// until it is written down. A handler that panics with http.ErrAbortHandler
// closes the connection without an answer.
func recorded(from, name string, l *Log, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		m := Message{From: from, To: name, Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header.Clone(), Body: string(body), Came: time.Now()}
		answer := &held{header: http.Header{}}
		defer func() {
			m.Left = time.Now()
			if p := recover(); p != nil {
				l.Add(m)
				panic(p)
			}
			m.Status, m.Answer, m.AnswerBody = answer.code(), answer.header, answer.body.String()
			l.Add(m)
			for name, values := range answer.header {
				w.Header()[name] = values
			}
			w.WriteHeader(m.Status)
			_, _ = w.Write(answer.body.Bytes()) // a caller who has gone misses the answer
		}()
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(answer, r)
	})
}

// held is an answer that has not left yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }
func (h *held) WriteHeader(status int)      { h.status = status }

func (h *held) code() int {
	if h.status == 0 {
		return http.StatusOK
	}
	return h.status
}

// JSON answers with a JSON value.
func JSON(w http.ResponseWriter, status int, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // the values are the suite's own
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// Refuse answers with an OAuth error (RFC 6749 5.2).
func Refuse(w http.ResponseWriter, status int, code, description string) {
	JSON(w, status, map[string]any{"error": code, "error_description": description})
}
