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

// maxApart is how far the clock of the machine may be from the one that counts, the
// database's. Which of the two is wrong nobody here can say, and one of them is.
const maxApart = time.Minute

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
		if apart := time.Until(n.Store.Now()).Abs(); apart > maxApart {
			n.Log.Error("not ready", "error", fmt.Sprintf("the clock of this machine and that of the database are %v apart", apart.Round(time.Second)))
			http.Error(w, "the clock of this node is wrong", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/livez" || r.URL.Path == "/readyz" {
			mux.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
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

// Door is a listener and what answers there.
type Door struct {
	Listener net.Listener
	Handler  http.Handler
}

// Serve answers at the doors until ctx ends or one of them fails, then lets
// requests in flight finish. It closes the listeners, not the node.
func (n *Node) Serve(ctx context.Context, doors ...Door) error {
	giveRoom()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var house sync.WaitGroup
	house.Go(func() { n.keepHouse(ctx) })
	house.Go(func() { n.deliver(ctx) })
	serving, served := context.WithCancel(context.WithoutCancel(ctx))
	house.Go(func() { n.noteUses(serving) })
	failed := make(chan error, len(doors))
	for _, door := range doors {
		go func() {
			err := n.serve(ctx, door)
			stop() // the others, too
			failed <- err
		}()
	}
	var faults []error
	for range doors {
		faults = append(faults, <-failed)
	}
	served()
	house.Wait()
	return errors.Join(faults...)
}

func (n *Node) serve(ctx context.Context, door Door) error {
	server := &http.Server{
		Handler: door.Handler, ReadHeaderTimeout: HeaderTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(n.Log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(n.leave)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(door.Listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		err = server.Shutdown(drain)
		cancel()
		<-failed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
