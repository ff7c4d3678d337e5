package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/login"
)

type serveCommand struct {
	Config string `help:"The configuration file (TOML). Every key can be set in the environment, too." type:"path" placeholder:"FILE"`
}

// Run serves until the context ends, and then finishes what is in flight.
func (cmd serveCommand) Run(s surroundings) error {
	c, err := readConfig(cmd.Config, s.env)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(s.stderr, nil))
	forbids, err := c.forbids()
	if err != nil {
		return err
	}
	trusted, err := c.claimIssuers()
	if err != nil {
		return err
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	n, err := build(s.ctx, c.Data, as.Config{
		Issuer: c.Issuer, Lifetimes: c.Lifetimes.lifetimes(), Forbids: forbids, ClaimIssuers: trusted,
		Partial: as.Partial(c.Partial), StrictScopes: c.StrictScopes, RevokeOnReplay: c.RevokeOnReplay,
	}, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := c.apply(s.ctx, n.as); err != nil {
		return errors.Join(err, listener.Close(), n.Close())
	}
	log.Info("ready", "issuer", c.Issuer, "listen", listener.Addr().String())
	err = serve(s.ctx, listener, withHealth(n), n)
	return errors.Join(err, n.Close())
}

// listen opens the socket. Plain http without a proxy in front is for loopback
// addresses only (FedAuthz 1.3).
func (c config) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if c.TLS.Cert == "" {
		host, _, err := net.SplitHostPort(listener.Addr().String())
		if err == nil && !endpoint.Loopback(host) && !c.BehindProxy {
			err = errors.New("plain http is for loopback addresses only: set tls.cert and tls.key, or behind_proxy")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen: %w", err), listener.Close())
		}
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tls: %w", err), listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// apply registers the configured clients and people. What is there already is
// brought up to date; what owners own is left alone.
func (c config) apply(ctx context.Context, server *as.Server) error {
	for i, client := range c.Clients {
		var hash []byte
		if !client.Public {
			secret, err := readSecret(client.SecretFile)
			if err != nil {
				return fmt.Errorf("clients[%d].secret_file: %w", i, err)
			}
			if len(secret) < 32 {
				return fmt.Errorf("clients[%d].secret_file: a secret has to have 32 characters or more", i)
			}
			sum := sha256.Sum256([]byte(secret))
			hash = sum[:]
		}
		if _, _, err := server.RegisterClient(ctx, client.client(hash)); err != nil {
			return fmt.Errorf("clients[%d]: %w", i, err)
		}
	}
	for i, person := range c.People {
		if err := person.apply(ctx, server); err != nil {
			return fmt.Errorf("people[%d]: %w", i, err)
		}
	}
	return nil
}

// apply makes the account once. A person who is there is left alone: the
// password may have been changed since.
func (p personConfig) apply(ctx context.Context, server *as.Server) error {
	if _, err := server.AccountByEmail(ctx, p.Email); err == nil || !errors.Is(err, as.ErrNotFound) {
		return err
	}
	hash := p.PasswordHash
	if hash == "" {
		password, err := readSecret(p.PasswordFile)
		if err != nil {
			return err
		}
		if hash, err = login.HashPassword(password, rand.Reader); err != nil {
			return err
		}
	}
	account, space, err := server.CreateAccount(ctx, as.Account{Email: p.Email, EmailVerified: true, Name: p.Name, PasswordHash: hash}, p.Space)
	if err == nil {
		// The ids are what other configuration names.
		server.Log.InfoContext(ctx, "account made", "account", account.ID, "space", space.ID)
	}
	return err
}

// withHealth adds what an orchestrator asks for: alive, and able to answer.
func withHealth(n *node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := n.store.View(r.Context(), func(as.Reader) error { return nil }); err != nil {
			n.log.Error("not ready", "error", err)
			http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", n.handler)
	return mux
}

// How long a connection may take for what (security: slow clients), and how
// long requests in flight have at the end.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 32 << 10
	drainTime     = 10 * time.Second
)

// serve answers on the listener until ctx ends, then lets requests in flight
// finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, n *node) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
	}
	ctx, stop := context.WithCancel(ctx)
	var house sync.WaitGroup
	house.Go(func() { n.keepHouse(ctx) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		err = server.Shutdown(drain)
		cancel()
		<-failed
	}
	stop()
	house.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
