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

// What the last View left is answered long before the next one reads it, however long
// that takes: its connection is still good.
func TestAReaderThatRestedKeepsItsConnection(t *testing.T) {
	config, err := pgx.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{config: &config.Config}
	defer c.close()
	reads := func() {
		t.Helper()
		if err := c.begin("begin read only"); err != nil {
			t.Fatal(err)
		}
		found, err := c.Query("select 1 as n")
		if err != nil {
			t.Fatal(err)
		}
		if err := found.Close(); err != nil {
			t.Fatal(err)
		}
		c.leave("rollback")
	}
	reads()
	before := c.pg
	c.used = time.Now().Add(-time.Hour)
	if err := before.Conn().SetDeadline(c.used.Add(patience)); err != nil {
		t.Fatal(err)
	}
	reads()
	if c.pg != before {
		t.Error("after a rest it is another connection")
	}
}
