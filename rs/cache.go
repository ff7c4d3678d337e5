package rs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

const defaultCacheSize = 4096

// cacheKey names an RPT as shown for one owner: what one owner's PAT learned
// about a token says nothing about another's. It is a hash of both with the
// length of the first, so that no choice of characters makes two pairs one,
// and so that the cache holds no token.
type cacheKey [sha256.Size]byte

func keyOf(owner Owner, token uma.RPT) cacheKey {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(owner)))
	return sha256.Sum256([]byte(string(length[:]) + string(owner) + string(token)))
}

// cache remembers active introspections for a short while (RFC 7662 4). It
// remembers nothing negative: a token may become active. What it returns has
// still to be compared with the request.
type cache struct {
	ttl  time.Duration
	size int
	now  func() time.Time

	asking  flight[uma.Introspection]
	mu      sync.Mutex
	entries map[cacheKey]cached
}

type cached struct {
	answer uma.Introspection
	until  time.Time
}

func newCache(ttl time.Duration, size int, now func() time.Time) *cache {
	if size == 0 {
		size = defaultCacheSize
	}
	return &cache{ttl: ttl, size: size, now: now, entries: map[cacheKey]cached{}}
}

func (c *cache) get(k cacheKey) (uma.Introspection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[k]
	if !ok || !c.now().Before(e.until) {
		delete(c.entries, k)
		return uma.Introspection{}, false
	}
	return e.answer, true
}

// once asks, together with others who want to know the same, and remembers the
// answer. Where nothing may be remembered nobody shares an answer either: one
// that was on its way already may be older than the request.
func (c *cache) once(ctx context.Context, k cacheKey, ask func(context.Context) (uma.Introspection, error)) (uma.Introspection, error) {
	if c.ttl == 0 {
		return ask(ctx)
	}
	return c.asking.do(ctx, string(k[:]), func(ctx context.Context) (uma.Introspection, error) {
		asked := c.now()
		in, err := ask(ctx)
		if err == nil {
			c.put(k, asked, in)
		}
		return in, err
	})
}

// put remembers an answer that was asked for at the given time, until the
// first of the three ends: the token's, a permission's, ours. An inactive
// answer takes an older one away.
func (c *cache) put(k cacheKey, asked time.Time, answer uma.Introspection) {
	until := sooner(asked.Add(c.ttl), answer.ExpiresAt)
	for _, p := range answer.Permissions {
		until = sooner(until, p.ExpiresAt)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, k)
	if !answer.Active || !c.now().Before(until) {
		return
	}
	c.makeRoom()
	c.entries[k] = cached{answer, until}
}

// makeRoom keeps the cache bounded: what is over goes first, else anything.
func (c *cache) makeRoom() {
	if len(c.entries) < c.size {
		return
	}
	for k, e := range c.entries {
		if !c.now().Before(e.until) {
			delete(c.entries, k)
		}
	}
	for k := range c.entries {
		if len(c.entries) < c.size {
			return
		}
		delete(c.entries, k)
	}
}

// sooner returns the earlier of a time and a number of seconds, where 0 is no
// end.
func sooner(t time.Time, seconds int64) time.Time {
	if end := time.Unix(seconds, 0); seconds != 0 && end.Before(t) {
		return end
	}
	return t
}
