package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Call is a request with its target spelled exactly as it goes out: clients of
// the standard library would tidy up what a check wants to try.
type Call struct {
	Method string
	Base   string // scheme://host:port
	Target string // path and query
	Header http.Header
	Body   string
}

// patience is how long one call may take, in which the program under test may
// have to ask the double several times.
const patience = 30 * time.Second

// Do sends the call over a connection of its own and returns it with its
// answer. An error means that there was no answer.
func (c Call) Do(ctx context.Context, from, to string) (Message, error) {
	u, err := url.Parse(c.Base)
	if err != nil {
		return Message{}, err
	}
	m := Message{From: from, To: to, Method: c.Method, Target: c.Target, Host: u.Host, Header: c.Header, Body: c.Body}
	conn, err := dial(ctx, u)
	if err != nil {
		return m, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return m, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", c.Method, c.Target, u.Host)
	for name, values := range c.Header {
		for _, v := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	if c.Body != "" || c.Method == http.MethodPost || c.Method == http.MethodPut {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.Body))
	}
	b.WriteString("\r\n" + c.Body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return m, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: c.Method})
	if err != nil {
		return m, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	m.Status, m.Answer, m.AnswerBody = res.StatusCode, res.Header, string(body)
	return m, err
}

func dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), u.Scheme) // the scheme is the name of its port, too
	}
	if u.Scheme == "https" {
		d := tls.Dialer{Config: &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}}}
		return d.DialContext(ctx, "tcp", address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}
