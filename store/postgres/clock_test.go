package postgres_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/uma"
)

// otherTime is a database whose clock is not that of this machine. set says how far
// ahead it is.
func otherTime(t *testing.T) (database string, set func(ahead time.Duration)) {
	t.Helper()
	database = pgtest.Database(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	set = func(ahead time.Duration) {
		t.Helper()
		pgtest.Exec(t, database, fmt.Sprintf(`create or replace function elsewhere.clock_timestamp() returns timestamptz language sql
			as $$ select pg_catalog.clock_timestamp() + %d * interval '1 millisecond' $$`, ahead.Milliseconds()))
	}
	pgtest.Exec(t, database, "create schema elsewhere")
	set(0)
	pgtest.Exec(t, database, `alter database "`+u.Path[1:]+`" set search_path = public, elsewhere, pg_catalog`)
	return database, set
}

// about says whether a store's clock is so far ahead of this machine's.
func about(s as.Store, ahead time.Duration) bool {
	return (time.Until(s.Now()) - ahead).Abs() < 10*time.Second
}

// A node has no time of its own: whatever its machine thinks, it is the database's.
//
// Proves SEC-053.
func TestTheTimeIsTheDatabases(t *testing.T) {
	database, set := otherTime(t)
	set(-3 * time.Hour)
	nodes := []*node{openNode(t, database), openNode(t, database)}
	for _, n := range nodes {
		if !about(n, -3*time.Hour) {
			t.Errorf("at first a node says %v", n.Now())
		}
	}
	set(5 * time.Hour)
	for _, n := range nodes {
		eventually(t, "a node has heard what time it is", func() bool { return about(n, 5*time.Hour) })
	}
}

// A ticket is over a second after its time at a node whose own clock is far behind,
// as at every other.
//
// Proves SEC-007, SEC-053.
func TestATicketIsOverAtANodeWhoseClockIsBehind(t *testing.T) {
	database, set := otherTime(t)
	c := clusterOn(t, database, 2)
	c.share()
	ticket := c.ticket()
	if _, err := granted(t.Context(), c.nodes[0], c.c, c.ticket()); err != nil {
		t.Fatalf("a ticket in its time: %v", err)
	}
	over := c.nodes[0].Lifetimes.Ticket + time.Second
	set(over)
	for i, node := range c.nodes {
		eventually(t, "the node has heard what time it is", func() bool { return about(node.Store, over) })
		_, err := granted(t.Context(), node, c.c, ticket)
		var refusal *uma.Error
		if !errors.As(err, &refusal) || refusal.Code != uma.InvalidGrant {
			t.Errorf("node %d takes a ticket that is over: %v", i, err)
		}
	}
}
