package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	timeout   = 3 * time.Second // for everything, from the name to the last byte
	maxBody   = 64 << 10        // bytes
	maxHeader = 16 << 10        // bytes
	httpsPort = 443
)

// Options say what may be reached beside the public Internet. The zero value
// adds nothing.
type Options struct {
	// AllowLoopback lets this machine be reached, on any port, and over plain
	// http too. It is for development.
	AllowLoopback bool
	// Allow are networks of the operator that may be reached, on any port, over
	// https.
	Allow []netip.Prefix
}

var (
	errTooLarge = fmt.Errorf("egress: the answer is larger than %d bytes", maxBody)
	errScheme   = errors.New("egress: only https addresses are fetched")
)

// New returns the egress client. It is safe for concurrent use and keeps no
// connection open. Reading more than 64 KiB of an answer is an error; a
// redirect is returned as the answer that it is.
func New(o Options) *http.Client { return newClient(o, &net.Dialer{}) }

func newClient(o Options, d *net.Dialer) *http.Client {
	t := &transport{https: newTransport(d, o.checkHTTPS)}
	if o.AllowLoopback {
		t.http = newTransport(d, checkHTTP)
	}
	return &http.Client{
		Transport:     t,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport keeps plain http apart from https: they may reach different
// addresses, and which it is can be told only here.
type transport struct {
	https, http http.RoundTripper // http is nil when it is not allowed
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.https
	if r.URL.Scheme == "http" {
		next = t.http
	} else if r.URL.Scheme != "https" {
		next = nil
	}
	if next == nil || r.URL.User != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errScheme
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

// newTransport has no proxy, not even the environment's: through it, the
// address that is judged would be the proxy's. It decodes nothing, so that the
// cap on the body is a cap on what reaches memory.
func newTransport(d *net.Dialer, check func(netip.AddrPort) error) *http.Transport {
	dialer := *d
	dialer.ControlContext = func(_ context.Context, network, address string, _ syscall.RawConn) error {
		// Every attempt to connect comes through here, with the very address
		// that the socket is about to connect to. A name that resolves to
		// something else a moment later has no effect.
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("egress: %s is not an address: %w", address, err)
		}
		return check(to)
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// cappedBody ends in an error, and not in an early end of the body that could
// be taken for the whole.
type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		n, b.left = b.left, 0
		return n, errTooLarge
	}
	b.left -= n
	return n, err
}
