package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/login"
)

type serveCommand struct {
	Config string `help:"The configuration file (TOML). Every key can be set in the environment, too." type:"path" placeholder:"FILE"`
	Store  string `help:"The URL of a PostgreSQL database (postgres://...) that several nodes share. It wins over the configuration." placeholder:"URL"`
}

// Run serves until the context ends, and then finishes what is in flight.
func (cmd serveCommand) Run(s surroundings) error {
	c, err := readConfig(cmd.Config, cmd.environment(s.env))
	if err != nil {
		return err
	}
	lines := node.NewLog(s.stderr)
	log := slog.New(slog.NewJSONHandler(lines, nil))
	listeners, err := c.open()
	if err != nil {
		return err
	}
	closeAll := func() (err error) {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	n, err := node.Open(s.ctx, c.place, c.as, c.surface, log)
	if err != nil {
		return errors.Join(err, closeAll())
	}
	if err := c.apply(s.ctx, n.AS); err != nil {
		return errors.Join(err, closeAll(), n.Close())
	}
	log.Info("ready", "issuer", c.as.Issuer, "listen", listeners[0].Addr().String())
	if err := first(s, n.AS); err != nil {
		return errors.Join(err, closeAll(), n.Close())
	}
	doors := []node.Door{{Listener: listeners[0], Handler: node.FromProxies(n.WithHealth(lines.Requests(n.Face)), c.proxies)}}
	for _, l := range listeners[1:] {
		doors = append(doors, node.Door{Listener: l, Handler: lines.Requests(n.Mutual)})
	}
	err = n.Serve(s.ctx, doors...)
	return errors.Join(err, n.Close(), lines.Flush())
}

// first tells whoever started the server where the first account is made, while there
// is none. It is told to the terminal, and not to the log: logs are collected.
func first(s surroundings, server *as.Server) error {
	secret, err := server.FirstRun(s.ctx)
	if errors.Is(err, as.ErrExists) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "Nobody has an account yet. Within 30 minutes, yours can be made here:\n%s\n", endpoint.FirstRunURL(server.Issuer, secret))
	return err
}

// environment is the environment with what the command line says over it.
func (cmd serveCommand) environment(env func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "LICET_STORE" && cmd.Store != "" {
			return cmd.Store, true
		}
		return env(name)
	}
}

// open opens the sockets: the main one and, where connections are asked for client
// certificates, another.
func (c settings) open() ([]net.Listener, error) {
	main, err := c.openMain()
	if err != nil || c.mtls == nil {
		return []net.Listener{main}, err
	}
	mutual, err := net.Listen("tcp", c.mtls.listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mtls.listen: %w", err), main.Close())
	}
	return []net.Listener{main, tls.NewListener(mutual, c.mtls.tls)}, nil
}

// openMain opens the main socket. The address that a name led to is looked at again:
// plain http is for loopback addresses only (FedAuthz 1.3).
func (c settings) openMain() (net.Listener, error) {
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if c.tls != nil {
		return tls.NewListener(listener, c.tls), nil
	}
	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err == nil && !c.behindProxy && !endpoint.Loopback(host) {
		err = errPlain
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), listener.Close())
	}
	return listener, nil
}

// apply registers the configured clients and people. Clients that are there
// already are brought up to date; what owners own is left alone.
func (c settings) apply(ctx context.Context, server *as.Server) error {
	var faults []error
	for i, client := range c.clients {
		if _, _, err := server.RegisterClient(ctx, client); err != nil {
			faults = append(faults, fmt.Errorf("clients[%d]: %w", i, err))
		}
	}
	for i, person := range c.people {
		if err := person.apply(ctx, server); err != nil {
			faults = append(faults, fmt.Errorf("people[%d].%w", i, err))
		}
	}
	return errors.Join(faults...)
}

// apply makes the account once. A person who is there is left alone: the
// password may have been changed since. An error begins with the key's name.
func (p person) apply(ctx context.Context, server *as.Server) error {
	_, err := server.AccountByEmail(ctx, p.account.Email)
	if err == nil {
		return nil
	}
	if !errors.Is(err, as.ErrNotFound) {
		return fmt.Errorf("email: %w", err)
	}
	switch {
	case p.account.PasswordHash == "" && p.password != "":
		if p.account.PasswordHash, err = login.HashPassword(p.password, rand.Reader); err != nil {
			return fmt.Errorf("password_file: %w", err)
		}
	case p.account.PasswordHash != "":
		if _, err := login.CheckPassword(p.account.PasswordHash, ""); err != nil {
			return fmt.Errorf("password_hash: %w", err)
		}
	}
	account, space, err := server.CreateAccount(ctx, p.account, p.space)
	if err != nil {
		return fmt.Errorf("email: %w", err)
	}
	// The ids are what other configuration names.
	server.Log.InfoContext(ctx, "account made", "account", account.ID, "space", space.ID)
	return nil
}
