package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/as"
)

// WithHealth adds what an orchestrator asks for: alive, and able to answer.
func (n *Node) WithHealth(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		err := n.Store.View(r.Context(), func(r as.Reader) error {
			_, err := r.SigningKeys()
			return err
		})
		if err != nil {
			n.Log.Error("not ready", "error", err)
			http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", next)
	return mux
}

// How long a connection may take for what (security: slow clients), and how
// long requests in flight have at the end.
const (
	HeaderTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 32 << 10
	drainTime     = 10 * time.Second
)

// Serve answers on the listener until ctx ends, then lets requests in flight
// finish. It closes the listener, not the node.
func (n *Node) Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: HeaderTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(n.Log.Handler(), slog.LevelWarn),
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
