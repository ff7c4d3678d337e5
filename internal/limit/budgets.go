package limit

import (
	"container/heap"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Party is whom a budget is for: a client, a client in a space, an address.
type Party struct{ Who, Where string }

// Answer says whether a party may go on. The zero value is yes.
type Answer struct {
	// Wait is how long the party has to wait; 0 when it may go on.
	Wait time.Duration
	// Refused is how often this party was refused since it was told last, and is
	// told once a minute; 0 when there is nothing to tell.
	Refused int
}

// Budgets are the budgets of the parties of one kind. The methods may be called
// concurrently.
type Budgets struct {
	rate   Rate
	seed   maphash.Seed
	shards [shards]shard
}

const (
	shards   = 16
	perShard = 1024
	// Parties is the most budgets that are kept, about 4 MB of them.
	Parties = shards * perShard
	// told is how often a party that is refused is told of.
	told = time.Minute
)

// New makes budgets of this rate.
func New(r Rate) *Budgets {
	return &Budgets{rate: r, seed: maphash.MakeSeed()}
}

// Look says whether the party has anything left, without taking of it.
func (b *Budgets) Look(p Party, now time.Time) Answer {
	if b.rate.Count < 0 {
		return Answer{}
	}
	s := b.lock(p)
	defer s.mutex.Unlock()
	kept, ok := s.budgets[p]
	if !ok {
		return Answer{}
	}
	return kept.answer(now)
}

// Spend takes one of what the party has left. When there is nothing, it says how
// long the party has to wait.
func (b *Budgets) Spend(p Party, now time.Time) Answer {
	if b.rate.Count < 0 {
		return Answer{}
	}
	s := b.lock(p)
	defer s.mutex.Unlock()
	kept, ok := s.budgets[p]
	if !ok {
		kept = s.add(p, rate.NewLimiter(rate.Limit(float64(b.rate.Count)/b.rate.Per.Seconds()), b.rate.Count))
	}
	if !kept.left.AllowN(now, 1) {
		return kept.answer(now)
	}
	kept.whole = now.Add(kept.until(float64(b.rate.Count), now))
	heap.Fix(&s.order, kept.place)
	return Answer{}
}

func (b *Budgets) lock(p Party) *shard {
	s := &b.shards[maphash.Comparable(b.seed, p)%shards]
	s.mutex.Lock()
	return s
}

// budget is what one party has left.
type budget struct {
	party   Party
	left    *rate.Limiter
	whole   time.Time // when it has everything again
	place   int       // in the shard's order
	refused int       // since the alarm
	alarm   time.Time
}

// until is how long it takes until there is so much in the budget.
func (k *budget) until(want float64, now time.Time) time.Duration {
	missing := want - k.left.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(k.left.Limit()) * float64(time.Second)))
}

func (k *budget) answer(now time.Time) Answer {
	a := Answer{Wait: k.until(1, now)}
	if a.Wait == 0 {
		return a
	}
	k.refused++
	if now.Sub(k.alarm) >= told {
		a.Refused, k.refused, k.alarm = k.refused, 0, now
	}
	return a
}

// shard is a part of the budgets, found by the party and ordered by when they are
// whole again.
type shard struct {
	mutex   sync.Mutex
	budgets map[Party]*budget
	order   order
}

// add makes a new party's budget, and room for it.
func (s *shard) add(p Party, left *rate.Limiter) *budget {
	if s.budgets == nil {
		s.budgets = map[Party]*budget{}
	}
	if len(s.order) >= perShard {
		delete(s.budgets, heap.Pop(&s.order).(*budget).party)
	}
	kept := &budget{party: p, left: left}
	s.budgets[p] = kept
	heap.Push(&s.order, kept)
	return kept
}

// order is a heap of budgets: first the one that is whole again first.
type order []*budget

func (o order) Len() int           { return len(o) }
func (o order) Less(i, j int) bool { return o[i].whole.Before(o[j].whole) }
func (o order) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].place, o[j].place = i, j
}

func (o *order) Push(x any) {
	kept := x.(*budget)
	kept.place = len(*o)
	*o = append(*o, kept)
}

func (o *order) Pop() any {
	last := len(*o) - 1
	kept := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return kept
}
