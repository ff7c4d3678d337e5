package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/licet/licet/as"
	gomail "github.com/wneessen/go-mail"
)

// server is an SMTP server that takes our mail.
type server struct {
	host    string
	options []gomail.Option
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

func newServer(c Config) (*server, error) {
	u, err := url.Parse(c.Server)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("mail.server: it is smtp://host:port or smtps://host:port, and nothing else")
	}
	s := &server{host: u.Hostname(), options: []gomail.Option{gomail.WithTimeout(attempt)}, dial: new(net.Dialer).DialContext}
	port := 587
	switch {
	case u.Scheme == "smtps":
		port = 465
		s.options = append(s.options, gomail.WithSSL())
		s.dial = (&tls.Dialer{Config: &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}}).DialContext
	case isLoopback(s.host):
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("mail.server: the port: %w", err)
		}
	}
	s.options = append(s.options, gomail.WithPort(port))
	if (c.User == "") != (c.Password == "") {
		return nil, errors.New("mail: user and password go together")
	}
	if c.User != "" {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	_, err = gomail.NewClient(s.host, s.options...)
	if err != nil {
		return nil, fmt.Errorf("mail.server: %w", err)
	}
	return s, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// send hands a mail over. What the server has taken is sent, whatever becomes of the
// connection after.
func (s *server) send(ctx context.Context, w written) error {
	var connection net.Conn
	defer func() {
		if connection != nil {
			_ = connection.Close() // also where TLS failed, which the client leaves open
		}
	}()
	c, err := gomail.NewClient(s.host, append(s.options[:len(s.options):len(s.options)],
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (_ net.Conn, err error) {
			connection, err = s.dial(ctx, network, address)
			return connection, err
		}))...)
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail: %s does not let us hand over mail: %w", s.host, err)
	}
	err = c.Send(w.message)
	_ = c.Close() // it has taken the mail, or it has not
	var failed *gomail.SendError
	if errors.As(err, &failed) && (failed.Reason == gomail.ErrSMTPRcptTo || failed.Reason == gomail.ErrSMTPDataClose) {
		return &as.RefusedError{Final: !failed.IsTemp(), Err: err}
	}
	return err
}
