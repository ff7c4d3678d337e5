package client

import (
	"context"
	"sync"
)

// gate lets one caller do a thing while the others who want the same wait for
// its end. What came of it they have to look up themselves.
type gate struct {
	mu      sync.Mutex
	working map[string]chan struct{}
}

// alone runs work and says so, or waits until the work of another with the same
// key has ended.
func (g *gate) alone(ctx context.Context, key string, work func() error) (ran bool, err error) {
	g.mu.Lock()
	if end, busy := g.working[key]; busy {
		g.mu.Unlock()
		select {
		case <-end:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	if g.working == nil {
		g.working = map[string]chan struct{}{}
	}
	end := make(chan struct{})
	g.working[key] = end
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.working, key)
		g.mu.Unlock()
		close(end)
	}()
	return true, work()
}
