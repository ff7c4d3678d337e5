package postgres

import (
	"sync/atomic"
	"time"
)

// clock is the database's clock, as one node knows it: what the database said, and
// how long ago by the node's own steady counting. The node's idea of the time of
// day is not in it.
type clock struct {
	start time.Time // only for counting
	ahead *atomic.Int64
}

func newClock() clock { return clock{start: time.Now(), ahead: new(atomic.Int64)} }

// now may be called before the first set, and is nonsense then.
func (c clock) now() time.Time {
	return time.Unix(0, c.ahead.Load()+int64(time.Since(c.start))).UTC()
}

// set notes what the database said its time was, between two moments of this node.
// When exactly is not known, so what is known of its clock is a range; as long as
// what was known before is in it nothing changes, and time does not jump about.
func (c clock) set(asked, answered, said time.Time) {
	atMost := said.UnixNano() - int64(asked.Sub(c.start))
	atLeast := said.UnixNano() - int64(answered.Sub(c.start))
	c.ahead.Store(min(max(c.ahead.Load(), atLeast), atMost))
}
