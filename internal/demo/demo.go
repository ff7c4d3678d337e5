package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/mail"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/login"
)

// Config is what a World needs.
type Config struct {
	Listener net.Listener // of the server, on a loopback address; the others listen beside it
	Issuer   string       // at localhost, where there can be passkeys
	Data     string       // an empty directory
	Log      *slog.Logger
}

// World is everybody, each with a socket. Its methods may be called concurrently.
type World struct {
	Config
	clock  clock
	box    mail.Box
	trace  *trace
	steps  steps
	node   *node.Node
	ctx    context.Context // while anybody is there
	stop   context.CancelFunc
	bell   atomic.Int64 // rings when an owner has changed what somebody may
	key    string       // of what only the start page leads to
	served sync.WaitGroup

	people map[string]*person // by the name of their host
	clinic *clinic
	photos *photos
	app    *app
	start  *start
}

// clock is the time of this world. It is behind while the past is made up, and goes
// with that of the machine from then on.
type clock struct{ behind atomic.Int64 }

// Now is the time.
func (c *clock) Now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// ago sets the time to so long ago.
func (c *clock) ago(d time.Duration) { c.behind.Store(int64(d)) }

// lifetimes let a demonstration go on for some days, and a poll may come every second.
var lifetimes = as.Lifetimes{PAT: 100 * 24 * time.Hour, Interval: time.Second}

// kinds are what the things of the services are.
var kinds = page.Words{
	"readings": {"en": "Readings", "de": "Messwerte", "fr": "Mesures", "es": "Mediciones", "ar": "قياسات"},
	"notes":    {"en": "Notes", "de": "Notizen", "fr": "Notes", "es": "Notas", "ar": "ملاحظات"},
	"list":     {"en": "List", "de": "Liste", "fr": "Liste", "es": "Lista", "ar": "قائمة"},
	"photo":    {"en": "Photo", "de": "Foto", "fr": "Photo", "es": "Foto", "ar": "صورة"},
}

// Open makes the world, with its past. It has the listener from then on.
func Open(ctx context.Context, c Config) (*World, error) {
	w := &World{Config: c, key: rand.Text(), people: map[string]*person{}}
	w.trace = newTrace(w.clock.Now)
	w.ctx, w.stop = context.WithCancel(ctx)
	if err := w.open(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) open() error {
	w.clock.ago(begins)
	vouch, err := newVoucher()
	if err != nil {
		return err
	}
	w.node, err = node.Open(w.ctx, node.Place{Data: w.Data}, as.Config{
		Issuer: w.Issuer, Lifetimes: lifetimes, ClaimIssuers: []as.ClaimIssuer{vouch.issuer()}, Now: w.clock.Now,
	}, node.Surface{
		SignIn: login.Methods{Guests: true}, Mail: mail.Config{From: "Licet <licet@example.com>", Box: &w.box}, Kinds: kinds,
	}, w.Log)
	if err != nil {
		return errors.Join(err, w.Listener.Close())
	}
	w.trace.name(w.Listener.Addr().String(), partyLicet)
	w.served.Go(func() {
		err := errors.Join(w.node.Serve(w.ctx, node.Door{Listener: w.Listener, Handler: w.door(w.node.Face)}), w.node.Close())
		if err != nil {
			w.Log.Error("the authorization server stopped", "error", err)
		}
		w.stop()
	})
	if err := w.build(); err != nil {
		return err
	}
	if err := w.live(vouch); err != nil {
		return fmt.Errorf("what came before: %w", err)
	}
	w.clock.ago(0)
	w.trace.begin()
	return nil
}

// build opens everybody else's socket, tells them of each other, and has them answer.
func (w *World) build() error {
	addresses, listeners := map[party]string{}, map[party]net.Listener{}
	for _, who := range []party{partyClinic, partyPhotos, partyApp, partyStart} {
		l, err := w.beside()
		if err != nil {
			return err
		}
		w.trace.name(l.Addr().String(), who)
		addresses[who], listeners[who] = "http://"+l.Addr().String(), l
		defer func() {
			if listeners[who] != nil { // nobody answers there
				_ = l.Close()
			}
		}()
	}
	handlers, err := w.settle(addresses)
	if err != nil {
		return err
	}
	for who, h := range handlers {
		w.answer(listeners[who], h)
		listeners[who] = nil
	}
	return nil
}

// beside listens where the server does, on another port.
func (w *World) beside() (net.Listener, error) {
	host, _, err := net.SplitHostPort(w.Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

// answer answers on a listener while the world lasts.
func (w *World) answer(l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: node.HeaderTimeout, BaseContext: func(net.Listener) context.Context { return w.ctx },
		ErrorLog: slog.NewLogLogger(w.Log.Handler(), slog.LevelWarn),
	}
	w.served.Go(func() {
		<-w.ctx.Done()
		_ = server.Close()
	})
	w.served.Go(func() { _ = server.Serve(l) }) // ends with ErrServerClosed, when the world does
}

// Close ends the world, and waits until nobody is there any more.
func (w *World) Close() error {
	w.stop()
	w.served.Wait()
	return nil
}

// Done is closed when the world has ended.
func (w *World) Done() <-chan struct{} { return w.ctx.Done() }

// StartPage is the address of the page to begin with.
func (w *World) StartPage() string { return w.start.address + "/" }

// at is the server's address for somebody who is at a host name of their own.
func (w *World) at(host string) string {
	_, port, _ := net.SplitHostPort(w.Listener.Addr().String()) // as the issuer was made of it
	return "http://" + host + ":" + port
}

// localhost dials this machine for the names of people: RFC 6761 has *.localhost lead
// here, but not every resolver has read it.
func localhost(listener net.Listener) *http.Transport {
	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		host = "127.0.0.1"
	}
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if name, port, err := net.SplitHostPort(address); err == nil && (name == "localhost" || strings.HasSuffix(name, ".localhost")) {
				address = net.JoinHostPort(host, port)
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}
