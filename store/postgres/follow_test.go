package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/store/postgres"
)

// node is a store that several have open, and what it was told.
type node struct {
	*postgres.Store
	mu    sync.Mutex
	heard []as.Change
}

func openNode(t *testing.T, url string) *node {
	t.Helper()
	n := &node{Store: open(t, url)}
	n.Watch(func(changes []as.Change) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.heard = append(n.heard, changes...)
	})
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return n
}

func (n *node) has(c as.Change) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.heard, c) || slices.Contains(n.heard, as.ChangedEverything)
}

// eventually waits until something holds, for much longer than it should take.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to be that %s", what)
		}
	}
}

func bump(s as.Store, id as.SpaceID) error {
	return s.Update(context.Background(), func(tx as.Tx) error { return tx.BumpSpace(id) })
}

// A name may be any bytes, and who has it changed must be heard of all the same.
func TestAChangeOfAnOddNameIsHeardOf(t *testing.T) {
	database := pgtest.Database(t)
	a, b := openNode(t, database), openNode(t, database)
	const id as.SpaceID = "\xff\x00\u2028"
	if err := a.Update(t.Context(), func(tx as.Tx) error { return errors.Join(tx.InsertSpace(as.Space{ID: id}), tx.BumpSpace(id)) }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node has heard", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.Contains(b.heard, as.ChangedSpace(id))
	})
}

// Proves SEC-031.
func TestWhatOneNodeChangesTheOthersHearOf(t *testing.T) {
	database := pgtest.Database(t)
	nodes := []*node{openNode(t, database), openNode(t, database), openNode(t, database)}
	if err := nodes[0].Update(t.Context(), func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "s", Generation: 1}) }); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		for _, n := range nodes {
			n.mu.Lock()
			n.heard = nil
			n.mu.Unlock()
		}
		if err := bump(nodes[0], "s"); err != nil {
			t.Fatal(err)
		}
		if !nodes[0].has(as.ChangedSpace("s")) {
			t.Fatal("the Update has returned and its own node has not heard")
		}
		eventually(t, "the other nodes have heard", func() bool {
			return nodes[1].has(as.ChangedSpace("s")) && nodes[2].has(as.ChangedSpace("s"))
		})
	}
}

// A node that cannot reach the database says that it is not current, and what it
// is asked for is unavailable; nothing is made up. When it is back it has heard of
// everything that happened meanwhile before it is current again.
//
// Proves SEC-043, SEC-093.
func TestANodeThatIsCutOffIsNotCurrentAndCatchesUp(t *testing.T) {
	database := pgtest.Database(t)
	n := openNode(t, database)
	ctx := context.Background()
	if err := n.Update(ctx, func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "s", Generation: 1}) }); err != nil {
		t.Fatal(err)
	}
	if !n.Current() {
		t.Fatal("a node that nobody cut off is not current")
	}
	restore := pgtest.CutOff(t, database)
	eventually(t, "the node is not current", func() bool { return !n.Current() })
	if err := bump(n, "s"); !errors.Is(err, as.ErrUnavailable) {
		t.Errorf("an Update of a node that is cut off: %v", err)
	}
	err := n.View(ctx, func(r as.Reader) error {
		_, err := r.Space("s")
		return err
	})
	if !errors.Is(err, as.ErrUnavailable) {
		t.Errorf("a View of a node that is cut off: %v", err)
	}
	restore()
	other := openNode(t, database)
	n.mu.Lock()
	n.heard = nil
	n.mu.Unlock()
	if err := bump(other, "s"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is current", n.Current)
	eventually(t, "the node has heard", func() bool { return n.has(as.ChangedSpace("s")) })
	eventually(t, "Updates go through", func() bool { return bump(n, "s") == nil })
	var space as.Space
	err = n.View(ctx, func(r as.Reader) (err error) {
		space, err = r.Space("s")
		return err
	})
	if err != nil || space.Generation != 3 {
		t.Errorf("the space is %+v, %v", space, err)
	}
}

// Without its listening connection a node still hears, by polling.
func TestALostNotificationIsFoundByThePoll(t *testing.T) {
	database := pgtest.Database(t)
	a, b := openNode(t, database), openNode(t, database)
	if err := a.Update(t.Context(), func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "s", Generation: 1}) }); err != nil {
		t.Fatal(err)
	}
	// What the transactions of another program would do, without a notification.
	pgtest.Exec(t, database, `insert into changes (transaction_id, told_at, what) values (pg_current_xact_id()::text::bigint, 0, '["space s"]')`)
	eventually(t, "both nodes have heard", func() bool { return a.has(as.ChangedSpace("s")) && b.has(as.ChangedSpace("s")) })
}

// A node that begins has nothing to forget. What was changed before, which may be
// very much, is not read by it.
func TestANodeThatBeginsDoesNotReadWhatWasChangedBefore(t *testing.T) {
	database := pgtest.Database(t)
	openNode(t, database) // makes the tables
	pgtest.Exec(t, database, `insert into changes (transaction_id, told_at, what)
		values (pg_current_xact_id()::text::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint, 'nobody can read this')`)
	if n := openNode(t, database); !n.Current() {
		t.Error("it is not current")
	}
}

// A transaction that began early and ends late has a low number. Its changes are
// heard of all the same.
func TestAChangeThatCommitsLateIsHeardOf(t *testing.T) {
	database := pgtest.Database(t)
	n := openNode(t, database)
	ctx := context.Background()
	late, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close(ctx)
	for _, q := range []string{"begin", `insert into changes (transaction_id, told_at, what) values (pg_current_xact_id()::text::bigint, 0, '["space late"]')`} {
		if _, err := late.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Update(ctx, func(tx as.Tx) error {
		return errors.Join(tx.InsertSpace(as.Space{ID: "s", Generation: 1}), tx.BumpSpace("s"))
	}); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, database, `insert into changes (transaction_id, told_at, what) values (pg_current_xact_id()::text::bigint, 0, '["space early"]')`)
	eventually(t, "the later one is heard of", func() bool { return n.has("space early") })
	if n.has("space late") {
		t.Fatal("a change was heard of before it was committed")
	}
	if _, err := late.Exec(ctx, "commit"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the late one is heard of", func() bool { return n.has("space late") })
}

// A wrong encoding would change what is stored without a word.
func TestADatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	u, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/") + "_latin"
	server := *u
	server.Path = "/postgres"
	pgtest.Exec(t, server.String(), "create database "+name+" encoding 'LATIN1' locale 'C' template template0")
	t.Cleanup(func() { pgtest.Exec(t, server.String(), "drop database "+name+" with (force)") })
	u.Path = "/" + name
	if s, err := postgres.Open(t.Context(), u.String()); err == nil || !strings.Contains(err.Error(), "UTF8") {
		t.Errorf("opening it: %v", err)
		if s != nil {
			_ = s.Close()
		}
	}
}
