package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The lean client reads what net/http writes: answers of a known length, in
// chunks, without a body, and the last before the server hangs up.
func TestTheWireReadsWhatServersWrite(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fixed", func(w http.ResponseWriter, r *http.Request) {
		if text, _ := io.ReadAll(r.Body); string(text) != "a=b" || r.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, "fixed")
	})
	mux.HandleFunc("GET /chunked", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) })
	mux.HandleFunc("GET /empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /last", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "last")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	w, err := dial(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.close() }()
	for range 2 { // on the same connection, and on a new one after the last answer
		for path, want := range map[string]string{"/fixed": "fixed", "/chunked": long, "/empty": "", "/last": "last"} {
			out := request(nil, http.MethodGet, path, "", "", "")
			status := http.StatusOK
			switch path {
			case "/fixed":
				out = request(nil, http.MethodPost, path, "Bearer x", typeForm, "a=b")
			case "/empty":
				status = http.StatusNoContent
			}
			got, body, err := w.do(out)
			if err != nil || got != status || string(body) != want {
				t.Errorf("%s: %d %.20q %v", path, got, body, err)
			}
		}
	}
}

// What is no answer is an error and not taken for an empty one.
func TestTheWireRefusesWhatIsNoAnswer(t *testing.T) {
	for _, text := range []string{"", "hello\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Read(make([]byte, 1024))
			_, _ = io.WriteString(theirs, text)
			_ = theirs.Close()
		}()
		w := &wire{conn: ours, in: bufio.NewReader(ours)}
		if status, body, err := w.do([]byte("GET / HTTP/1.1\r\n\r\n")); err == nil {
			t.Errorf("%q is read as %d %q", text, status, body)
		} else if errors.Is(err, io.ErrClosedPipe) {
			t.Fatal(err)
		}
		_ = ours.Close()
	}
}
