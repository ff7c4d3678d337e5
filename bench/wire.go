package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// wire is one keep-alive connection that speaks just enough HTTP/1.1 to be
// answered by our own server. A general client would cost more than the server
// does. It is for one goroutine.
type wire struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	body    []byte
	next    []byte // the target of the newest answer's Link; empty for none
}

func dial(address string) (*wire, error) {
	w := &wire{address: address}
	return w, w.redial()
}

func (w *wire) redial() error {
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		return err
	}
	w.conn, w.in = conn, bufio.NewReaderSize(conn, 16<<10)
	return nil
}

func (w *wire) close() error { return w.conn.Close() }

// patience is how long an answer may take before the run is given up.
const patience = 60 * time.Second

var (
	errAnswer     = errors.New("not an HTTP answer that bench can read")
	headerLength  = []byte("Content-Length: ")
	headerChunked = []byte("Transfer-Encoding: chunked")
	headerClose   = []byte("Connection: close")
	headerLink    = []byte("Link: <")
)

// do sends a whole request and reads the whole answer. The body is good until
// the next call.
func (w *wire) do(request []byte) (status int, body []byte, err error) {
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return 0, nil, err
	}
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, errAnswer
	}
	length, chunked, closes := 0, false, false
	w.next = w.next[:0]
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0:
			body, err := w.read(length, chunked)
			if err == nil && closes {
				err = errors.Join(w.conn.Close(), w.redial())
			}
			return status, body, err
		case bytes.HasPrefix(line, headerLength):
			if length, err = strconv.Atoi(string(line[len(headerLength):])); err != nil {
				return 0, nil, errAnswer
			}
		case bytes.Equal(line, headerChunked):
			chunked = true
		case bytes.Equal(line, headerClose):
			closes = true
		case bytes.HasPrefix(line, headerLink):
			target, _, _ := bytes.Cut(line[len(headerLink):], []byte{'>'})
			w.next = append(w.next, target...)
		}
	}
}

func (w *wire) read(length int, chunked bool) ([]byte, error) {
	w.body = w.body[:0]
	if !chunked {
		return w.body, w.more(length)
	}
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errAnswer, err)
		}
		if err := w.more(int(size)); err != nil {
			return nil, err
		}
		if _, err := w.in.Discard(2); err != nil {
			return nil, err
		}
		if size == 0 {
			return w.body, nil
		}
	}
}

// more appends n bytes to the body.
func (w *wire) more(n int) error {
	start := len(w.body)
	if cap(w.body) < start+n {
		w.body = append(make([]byte, 0, 2*(start+n)), w.body...)
	}
	w.body = w.body[:start+n]
	_, err := io.ReadFull(w.in, w.body[start:])
	return err
}

// The media types of requests.
const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// request appends a request to b.
func request(b []byte, method, path, authorization, contentType, body string) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: bench\r\n"...)
	if authorization != "" {
		b = append(b, "Authorization: "...)
		b = append(b, authorization...)
		b = append(b, "\r\n"...)
	}
	if contentType != "" {
		b = append(b, "Content-Type: "...)
		b = append(b, contentType...)
		b = append(b, "\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, body...)
}
