package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/as"
)

// readerCount is how many snapshots can be read at the same time. Connections are
// made as they are needed.
const readerCount = 16

// readers are the connections that Views read on. The one that was used last is
// used first, so that few are kept busy rather than all lukewarm.
type readers struct {
	turns chan struct{}
	mu    sync.Mutex
	idle  []*conn
}

func newReaders(config *pgconn.Config) *readers {
	r := &readers{turns: make(chan struct{}, readerCount)}
	for range readerCount {
		r.idle = append(r.idle, &conn{config: config})
	}
	return r
}

// take waits until a connection is free.
func (r *readers) take(ctx context.Context) (*conn, error) {
	select {
	case r.turns <- struct{}{}:
	default:
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case r.turns <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late.C:
			return nil, fmt.Errorf("postgres: %w: %d readers have been busy for %v", as.ErrUnavailable, readerCount, patience)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c, nil
}

// put gives a connection back.
func (r *readers) put(c *conn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	<-r.turns
}

// close waits for the connections that are being used, and disconnects.
func (r *readers) close() {
	for range readerCount {
		r.turns <- struct{}{}
	}
	for _, c := range r.idle {
		c.close()
	}
}
