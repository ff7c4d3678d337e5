package postgres

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/internal/pgtest"
)

// A connection that was lost during a rest is replaced without a word to any caller.
// The committer is told: the database behind the new one may have been brought back
// from a backup, and not have what was remembered of the histories in it.
func TestTheCommitterIsToldOfAnotherConnection(t *testing.T) {
	database := pgtest.Database(t)
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	e := engine{&conn{config: &config.Config}}
	defer e.close()
	begins := func(when string, want bool) {
		t.Helper()
		anew, err := e.Begin(false)
		if err != nil {
			t.Fatal(err)
		}
		if anew != want {
			t.Errorf("%s a connection is said to be another one: %v", when, anew)
		}
		if err := e.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	begins("at first", true)
	begins("then", false)
	e.used = time.Time{}
	begins("after a rest", false)
	pgtest.CutOff(t, database)()
	e.used = time.Time{}
	begins("after a rest in which it was cut", true)
	begins("then", false)
}
