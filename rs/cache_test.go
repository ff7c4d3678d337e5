package rs

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

func withCache(ttl time.Duration) func(*Config) {
	return func(c *Config) { c.CacheTTL = ttl }
}

// Proves FED-RS-5-01.
func TestAnIntrospectionIsRememberedNoLongerThanAllowed(t *testing.T) {
	end := func(c *clock, s int64) string { return fmt.Sprintf(`,"exp":%d`, c.now().Unix()+s) }
	for _, c := range []struct {
		name  string
		ttl   time.Duration
		issue func(p *photos, id string)
		lasts time.Duration // how long the answer is used again
	}{
		{"by its own time", 5 * time.Second, func(p *photos, id string) { p.as.issue("rpt", permission(id, `"view"`), end(p.clock, 100)) }, 5 * time.Second},
		{"until the token ends", time.Minute, func(p *photos, id string) { p.as.issue("rpt", permission(id, `"view"`), end(p.clock, 3)) }, 3 * time.Second},
		{"until the permission ends", time.Minute, func(p *photos, id string) {
			p.as.issue("rpt", permission(id, `"view"`, end(p.clock, 2)), end(p.clock, 100))
		}, 2 * time.Second},
		{"until another permission ends", time.Minute, func(p *photos, id string) {
			p.as.issue("rpt", permission(id, `"view"`)+","+permission("other", ``, end(p.clock, 4)))
		}, 4 * time.Second},
		{"not at all", 0, func(p *photos, id string) { p.as.issue("rpt", permission(id, `"view"`)) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhotos(t, withCache(c.ttl))
			c.issue(p, p.as.idOf("alice", "album"))
			if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
				t.Fatal(res.Status)
			}
			for _, e := range p.cache.entries {
				if got := e.until.Sub(p.clock.now()); got != c.lasts {
					t.Errorf("it is remembered for %s", got)
				}
			}
			p.as.locked(func() { p.as.tokens = nil }) // withdrawn
			if c.lasts > 0 {
				p.clock.advance(c.lasts - time.Second)
				if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
					t.Errorf("a second before the end: %s", res.Status)
				}
				p.clock.advance(time.Second)
			}
			challenged(t, p, p.call("GET", "/alice/album", "rpt"))
		})
	}
}

// Proves SEC-059.
func TestARememberedAnswerIsComparedWithEveryRequest(t *testing.T) {
	p := newPhotos(t, withCache(time.Minute))
	album := p.as.idOf("alice", "album")
	p.as.issue("rpt", permission(album, `"view"`))
	for range 2 {
		if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	if n := len(p.as.asked("/introspect")); n != 1 {
		t.Fatalf("the authorization server was asked %d times", n)
	}
	challenged(t, p, p.call("PUT", "/alice/album", "rpt"))
	challenged(t, p, p.call("GET", "/alice/diary", "rpt"))
	challenged(t, p, p.call("GET", "/anna/album", "rpt"))
	if n := len(p.as.asked("/introspect")); n != 4 {
		t.Errorf("a remembered answer was the reason to say no: %d questions", n)
	}
	// Upgraded meanwhile: no needless challenge.
	p.as.issue("rpt", permission(album, `"view","edit"`))
	if res := p.call("PUT", "/alice/album", "rpt"); res.StatusCode != 200 {
		t.Errorf("after the upgrade: %s", res.Status)
	}
}

// Proves SEC-059.
func TestNoTwoTokensShareARememberedAnswer(t *testing.T) {
	keys := map[cacheKey]string{}
	for _, pair := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}, {"a|b", "c"}, {"a", "b|c"}, {"b", "bc"}, {"a\x00", "b"}, {"a", "\x00b"}, {"a", "b"}} {
		k := keyOf(Owner(pair[0]), uma.RPT(pair[1]))
		if other, twice := keys[k]; twice {
			t.Errorf("%q and %s have one key", pair, other)
		}
		keys[k] = fmt.Sprintf("%q", pair)
	}
	p := newPhotos(t, withCache(time.Minute))
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
		t.Fatal(res.Status)
	}
	for _, token := range []string{"rp", "rpt=", "RPT", "rptt"} {
		challenged(t, p, p.call("GET", "/alice/album", token))
	}
}

func TestNothingNegativeIsRemembered(t *testing.T) {
	p := newPhotos(t, withCache(time.Minute))
	challenged(t, p, p.call("GET", "/alice/album", "rpt"))
	if n := len(p.cache.entries); n != 0 {
		t.Errorf("%d answers are remembered", n)
	}
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
		t.Errorf("once it is active: %s", res.Status)
	}
}

func TestAWithdrawalThatIsNoticedEmptiesTheCache(t *testing.T) {
	p := newPhotos(t, withCache(time.Minute))
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	p.call("GET", "/alice/album", "rpt")
	p.as.locked(func() { p.as.tokens = nil })
	challenged(t, p, p.call("PUT", "/alice/album", "rpt")) // not in the cache: asks, and hears that all is gone
	challenged(t, p, p.call("GET", "/alice/album", "rpt"))
}

func TestTheCacheIsBounded(t *testing.T) {
	p := newPhotos(t, withCache(time.Minute), func(c *Config) { c.CacheSize = 3 })
	for i := range 10 {
		token := strings.Repeat("x", i+1)
		p.as.issue(token, permission(p.as.idOf("alice", "album"), `"view"`))
		if res := p.call("GET", "/alice/album", token); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
		if n := len(p.cache.entries); n > 3 {
			t.Fatalf("%d answers are remembered", n)
		}
	}
}

func TestManyRequestsWithOneTokenAskOnceWhereAnswersMayBeShared(t *testing.T) {
	// Two: somebody may look just before the first answer is remembered.
	if n := introspections(t, time.Minute); n > 2 {
		t.Errorf("the authorization server was asked %d times", n)
	}
	// An answer that is on its way may be older than the request.
	if n := introspections(t, 0); n != 20 {
		t.Errorf("without a cache, the authorization server was asked %d times", n)
	}
}

// introspections counts the questions that 20 requests at once lead to.
func introspections(t *testing.T, ttl time.Duration) int {
	p := newPhotos(t, withCache(ttl))
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	p.as.mu.Lock() // nobody is answered before all are on their way
	var all, begun sync.WaitGroup
	begun.Add(20)
	for range 20 {
		all.Go(func() {
			begun.Done()
			if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
				t.Error(res.Status)
			}
		})
	}
	begun.Wait()
	p.as.mu.Unlock()
	all.Wait()
	return len(p.as.asked("/introspect"))
}
