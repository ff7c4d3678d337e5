package storetest

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
)

var counting = []rule{
	{"a count ends at its most, whoever counts", countsEndAtTheirMost},
	{"a count begins anew at the instant it expires", countsBeginAnew},
	{"a count is taken back one by one and never below nothing", countsAreTakenBack},
	{"what an Update that fails has counted is not counted", failedCountingIsUndone},
	{"a sweep deletes the counts that have expired", countsAreSwept},
}

// counted counts one up, and says whether the count had come to most.
func (s *scene) counted(d as.Digest, most int64, at, until time.Time) (c as.Count, full bool) {
	s.Helper()
	err := s.try(func(tx as.Tx) (err error) {
		c, err = tx.CountUp(d, most, at, until)
		return err
	})
	if err != nil && !errors.Is(err, as.ErrNotFound) {
		s.Fatalf("counting: %v", err)
	}
	return c, err != nil
}

func countsEndAtTheirMost(s *scene) {
	const most = 7
	d, until := s.digest("count"), now.Add(time.Hour)
	won := s.race(as.ErrNotFound, func(_ int, tx as.Tx) error { return errOf(tx.CountUp(d, most, now, until)) })
	if won != most {
		s.Errorf("%d of %d have counted, want %d", won, racers, most)
	}
	want := as.Count{Digest: d, N: most, ExpiresAt: until}
	same(s, "a full count", must(s, func(r as.Reader) (as.Count, error) { return r.Count(d) }), want)
	if _, full := s.counted(s.digest("another"), most, now, until); full {
		s.Error("another count is full, too")
	}
}

func countsBeginAnew(s *scene) {
	d, until := s.digest("count"), now.Add(time.Hour)
	first, _ := s.counted(d, 1, now, until)
	same(s, "the first", first, as.Count{Digest: d, N: 1, ExpiresAt: until})
	if _, full := s.counted(d, 1, until.Add(-time.Millisecond), until.Add(time.Hour)); !full {
		s.Error("it began anew before it expired")
	}
	if c := must(s, func(r as.Reader) (as.Count, error) { return r.Count(d) }); !c.ExpiresAt.Equal(until) {
		s.Errorf("a count that is full was put off to %v", c.ExpiresAt)
	}
	second, full := s.counted(d, 2, until, until.Add(time.Hour))
	if full {
		s.Error("it did not begin anew at the instant it expired")
	}
	same(s, "anew", second, as.Count{Digest: d, N: 1, ExpiresAt: until.Add(time.Hour)})
	third, _ := s.counted(d, 2, until, until.Add(2*time.Hour))
	same(s, "going on, it ends when it would have", third, as.Count{Digest: d, N: 2, ExpiresAt: until.Add(time.Hour)})
}

func countsAreTakenBack(s *scene) {
	d := s.digest("count")
	s.refused(as.ErrNotFound, "taking back of nothing", func(tx as.Tx) error { return tx.CountDown(d) })
	for range 3 {
		s.counted(d, 3, now, now.Add(time.Hour))
	}
	s.update(func(tx as.Tx) error { return tx.CountDown(d) })
	if _, full := s.counted(d, 3, now, now.Add(time.Hour)); full {
		s.Error("what was taken back still counts")
	}
	for range 3 {
		s.update(func(tx as.Tx) error { return tx.CountDown(d) })
	}
	s.refused(as.ErrNotFound, "taking back below nothing", func(tx as.Tx) error { return tx.CountDown(d) })
}

func failedCountingIsUndone(s *scene) {
	d, wrong := s.digest("count"), errors.New("no")
	s.refused(wrong, "an Update that fails", func(tx as.Tx) error {
		return errors.Join(errOf(tx.CountUp(d, 1, now, now.Add(time.Hour))), wrong)
	})
	if _, full := s.counted(d, 1, now, now.Add(time.Hour)); full {
		s.Error("it was counted")
	}
}

func countsAreSwept(s *scene) {
	own := s.alone()
	own.counted(own.digest("over"), 1, now.Add(-time.Hour), now.Add(-time.Millisecond))
	own.counted(own.digest("good"), 1, now.Add(-time.Hour), now)
	if n := own.sweep(now, 10); n != 1 {
		own.Errorf("a sweep deleted %d counts, want the one whose time is over", n)
	}
	if c := must(own, func(r as.Reader) (as.Count, error) { return r.Count(own.digest("good")) }); c.N != 1 {
		own.Errorf("the other is %+v", c)
	}
}
