package main

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/pgtest"
)

// ledger is what a server acknowledged.
type ledger struct {
	mu                  sync.Mutex
	resources, policies []string
}

func (l *ledger) enter(list *[]string, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, id)
}

// write registers resources, and makes a policy on each, until ctx ends.
func (l *ledger) write(ctx context.Context, c *caller) {
	for ctx.Err() == nil {
		id, ok := c.make("/uma/resources", `{"resource_scopes":["view"]}`)
		if !ok {
			continue
		}
		l.enter(&l.resources, id)
		policy, ok := c.make("/owner/policies", `{"resource_id":"`+id+`","resource_scopes":["view"],"anyone":true}`)
		if ok {
			l.enter(&l.policies, policy)
		}
	}
}

// Under load the server is killed again and again, without a chance to finish
// anything. Whatever it acknowledged is there afterwards.
func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killed(t) })
	t.Run("postgres", func(t *testing.T) { killed(t, "LICET_STORE="+pgtest.Database(t)) })
}

func killed(t *testing.T, environment ...string) {
	const cycles, writers = 20, 8
	file, address := settled(t, environment...)
	var acknowledged ledger
	for range cycles {
		p := start(t, io.Discard, environment, "serve", "--config", file)
		p.ready("http://" + address + "/readyz")
		c := newCaller(t, address)
		var wait sync.WaitGroup
		ctx, stop := context.WithCancel(context.Background())
		for range writers {
			wait.Go(func() { acknowledged.write(ctx, c) })
		}
		time.Sleep(time.Duration(20+rand.IntN(120)) * time.Millisecond)
		p.kill()
		stop()
		wait.Wait()
	}
	p := start(t, io.Discard, environment, "serve", "--config", file)
	p.ready("http://" + address + "/readyz")
	c := newCaller(t, address)
	t.Logf("%d resources and %d policies were acknowledged over %d kills", len(acknowledged.resources), len(acknowledged.policies), cycles)
	if len(acknowledged.policies) < cycles {
		t.Fatal("there was no load")
	}
	missing(t, "the resource", acknowledged.resources, c.resources())
	missing(t, "the policy", acknowledged.policies, c.policies())
}

// missing tells what was acknowledged and is not there.
func missing(t *testing.T, what string, acknowledged, there []string) {
	t.Helper()
	have := map[string]bool{}
	for _, id := range there {
		have[id] = true
	}
	for _, id := range acknowledged {
		if !have[id] {
			t.Errorf("%s %s was acknowledged and is lost", what, id)
		}
	}
}
