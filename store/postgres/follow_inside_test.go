package postgres

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
)

// watched is a database with the tables, and a connection to it.
func watched(t *testing.T) (database string, c *pgx.Conn) {
	t.Helper()
	database = pgtest.Database(t)
	s, err := Open(t.Context(), database)
	if err == nil {
		err = s.Close()
	}
	if err == nil {
		c, err = pgx.Connect(t.Context(), database)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return database, c
}

// A machine that slept does not notice by its own counting, and a clock that jumps has
// others sweep what was not read: the database's time says that it was long.
func TestWhoSleptForgetsEverything(t *testing.T) {
	_, c := watched(t)
	var told []as.Change
	clock := newClock()
	f := &follower{tell: func(changes []as.Change) { told = append(told, changes...) }, clock: &clock, seen: func(time.Time) {}}
	for _, slept := range []time.Duration{0, longAway + time.Second} {
		if err := f.poll(t.Context(), c); err != nil { // the first look
			t.Fatal(err)
		}
		told = nil
		f.said = f.said.Add(-slept)
		if err := f.poll(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if forgets := slices.Contains(told, as.ChangedEverything); forgets != (slept > 0) {
			t.Errorf("after a sleep of %v it was told %v", slept, told)
		}
	}
}

// Whoever was away for long forgets everything and does not read what it was. One
// that was away for a moment has to read it, which here cannot be read.
func TestWhoWasAwayForLongForgetsInsteadOfReading(t *testing.T) {
	database, c := watched(t)
	pgtest.Exec(t, database, "insert into changes (transaction_id, told_at, what) values (pg_current_xact_id()::text::bigint, 0, 'nobody can read this')")
	for away, forgets := range map[time.Duration]bool{longAway + time.Second: true, time.Second: false} {
		var told []as.Change
		clock := newClock()
		f := &follower{tell: func(changes []as.Change) { told = changes }, clock: &clock, seen: func(time.Time) {}, from: 1, polled: time.Now().Add(-away), said: time.Now()}
		err := f.poll(t.Context(), c)
		if got := err == nil && slices.Equal(told, []as.Change{as.ChangedEverything}); got != forgets {
			t.Errorf("after %v it was told %v, and %v", away, told, err)
		}
		if forgets && f.from <= 1 {
			t.Errorf("the next poll begins at %d", f.from)
		}
	}
}
