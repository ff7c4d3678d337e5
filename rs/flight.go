package rs

import (
	"context"
	"fmt"
	"sync"
)

// flight lets callers who want the same thing at the same time share one
// answer. The work does not end with the caller who happened to start it.
type flight[V any] struct {
	mu    sync.Mutex
	calls map[string]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func (f *flight[V]) do(ctx context.Context, key string, work func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	c, running := f.calls[key]
	if !running {
		c = &call[V]{done: make(chan struct{})}
		if f.calls == nil {
			f.calls = map[string]*call[V]{}
		}
		f.calls[key] = c
		go f.run(context.WithoutCancel(ctx), key, c, work)
	}
	f.mu.Unlock()
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (f *flight[V]) run(ctx context.Context, key string, c *call[V], work func(context.Context) (V, error)) {
	defer func() {
		// A panic here would end the process, not the request as its author expects.
		if p := recover(); p != nil {
			c.err = fmt.Errorf("panic: %v", p)
		}
		f.mu.Lock()
		delete(f.calls, key)
		f.mu.Unlock()
		close(c.done)
	}()
	c.value, c.err = work(ctx)
}
