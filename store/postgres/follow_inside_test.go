package postgres

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
)

// Whoever was away for long forgets everything and does not read what it was. One
// that was away for a moment has to read it, which here cannot be read.
func TestWhoWasAwayForLongForgetsInsteadOfReading(t *testing.T) {
	database := pgtest.Database(t)
	s, err := Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	pgtest.Exec(t, database, "insert into changes (transaction_id, told_at, what) values (pg_current_xact_id()::text::bigint, 0, 'nobody can read this')")
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for away, forgets := range map[time.Duration]bool{longAway + time.Second: true, time.Second: false} {
		var told []as.Change
		clock := newClock()
		f := &follower{tell: func(changes []as.Change) { told = changes }, clock: &clock, seen: func(time.Time) {}, from: 1, polled: time.Now().Add(-away)}
		err := f.poll(t.Context(), c)
		if got := err == nil && slices.Equal(told, []as.Change{as.ChangedEverything}); got != forgets {
			t.Errorf("after %v it was told %v, and %v", away, told, err)
		}
		if forgets && f.from <= 1 {
			t.Errorf("the next poll begins at %d", f.from)
		}
	}
}
