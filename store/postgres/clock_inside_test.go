package postgres

import (
	"testing"
	"time"
)

// How long the database took to answer does not make time jump, and what it says is
// never farther off than it took to ask.
func TestTheClockFollowsTheDatabaseAndDoesNotJump(t *testing.T) {
	c := newClock()
	at := func(d time.Duration) time.Time { return c.start.Add(d) }
	ahead := func() time.Duration { return time.Duration(c.ahead.Load() - c.start.UnixNano()) }
	const ms = time.Millisecond
	for i, poll := range []struct{ asked, answered, said, want time.Duration }{
		{0, 4 * ms, 7002 * ms, 6998 * ms},                    // between 6998 and 7002
		{250 * ms, 280 * ms, 7251 * ms, 6998 * ms},           // between 6971 and 7001
		{500 * ms, 501 * ms, 7500 * ms, 6999 * ms},           // between 6999 and 7000
		{750 * ms, 950 * ms, 7760 * ms, 6999 * ms},           // between 6810 and 7010
		{1000 * ms, 1002 * ms, 3600_000 * ms, 3598_998 * ms}, // it was set
		{1250 * ms, 1252 * ms, 1251 * ms, 1 * ms},            // and set back
	} {
		c.set(at(poll.asked), at(poll.answered), at(poll.said))
		if got := ahead(); got != poll.want {
			t.Errorf("poll %d: the database is taken to be %v ahead, want %v", i, got, poll.want)
		}
	}
}
