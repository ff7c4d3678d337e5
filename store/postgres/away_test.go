package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
)

func spaceOf(s as.Store, id as.SpaceID) (space as.Space, err error) {
	err = s.View(context.Background(), func(r as.Reader) (err error) {
		space, err = r.Space(id)
		return err
	})
	return space, err
}

// Connections that are cut under load are nobody's fault but the database's: what
// cannot be answered is unavailable, what was acknowledged is there, and when the
// cutting ends all is well.
//
// Proves SEC-043, SEC-093.
func TestCutConnectionsAreUnavailableAndNothingElse(t *testing.T) {
	database := pgtest.Database(t)
	n := openNode(t, database)
	ctx := t.Context()
	if err := n.Update(ctx, func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "s"}) }); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var acknowledged, tried atomic.Int64
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := 0; !stop.Load(); i++ {
				tried.Add(1)
				err := n.Update(ctx, func(tx as.Tx) error {
					return errors.Join(tx.BumpSpace("s"), tx.InsertGrant(as.Grant{ID: as.GrantID(fmt.Sprint(w, "-", i))}))
				})
				if err == nil {
					acknowledged.Add(1)
				} else if !errors.Is(err, as.ErrUnavailable) {
					t.Errorf("an Update: %v", err)
				}
				if _, err := spaceOf(n, "s"); err != nil && !errors.Is(err, as.ErrUnavailable) {
					t.Errorf("a View: %v", err)
				}
			}
		})
	}
	for range 10 {
		before := acknowledged.Load()
		eventually(t, "Updates go through", func() bool { return acknowledged.Load() > before+20 })
		pgtest.CutOff(t, database)()
	}
	stop.Store(true)
	all.Wait()
	space, err := spaceOf(n, "s")
	for err != nil && errors.Is(err, as.ErrUnavailable) {
		space, err = spaceOf(n, "s")
	}
	if err != nil || space.Generation < acknowledged.Load() || space.Generation > tried.Load() {
		t.Errorf("the generation is %d, %v, after %d of %d Updates were acknowledged", space.Generation, err, acknowledged.Load(), tried.Load())
	}
	eventually(t, "the node is current", n.Current)
}

// A database that is busy with something else for too long is unavailable, and is
// not waited for without end.
func TestADatabaseThatDoesNotAnswerIsUnavailable(t *testing.T) {
	database := pgtest.Database(t)
	hasty, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	q := hasty.Query()
	q.Set("statement_timeout", "300ms")
	hasty.RawQuery = q.Encode()
	n := openNode(t, hasty.String())
	ctx := t.Context()
	if err := n.Update(ctx, func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "s"}) }); err != nil {
		t.Fatal(err)
	}
	other, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(ctx)
	for _, say := range []string{"begin", "lock table spaces in access exclusive mode"} {
		if _, err := other.Exec(ctx, say); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if err := bump(n, "s"); !errors.Is(err, as.ErrUnavailable) {
		t.Errorf("an Update: %v", err)
	}
	if _, err := spaceOf(n, "s"); !errors.Is(err, as.ErrUnavailable) {
		t.Errorf("a View: %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := other.Exec(ctx, "rollback"); err != nil {
		t.Fatal(err)
	}
	if err := bump(n, "s"); err != nil {
		t.Errorf("when the database answers again: %v", err)
	}
}

// Nodes that change the same again and again get their turns.
func TestNodesThatChangeTheSameAllGetThrough(t *testing.T) {
	database := pgtest.Database(t)
	nodes := []*node{openNode(t, database), openNode(t, database), openNode(t, database)}
	if err := nodes[0].Update(t.Context(), func(tx as.Tx) error {
		return tx.InsertAccount(as.Account{ID: "a", Email: "a"})
	}); err != nil {
		t.Fatal(err)
	}
	const workers, each = 8, 20
	var all sync.WaitGroup
	for _, n := range nodes {
		for range workers {
			all.Go(func() {
				for range each {
					err := n.Update(t.Context(), func(tx as.Tx) error {
						a, err := tx.Account("a")
						if err != nil {
							return err
						}
						a.Generation++
						return tx.UpdateAccount(a)
					})
					if err != nil {
						t.Errorf("an Update: %v", err)
					}
				}
			})
		}
	}
	all.Wait()
	var a as.Account
	if err := nodes[1].View(t.Context(), func(r as.Reader) (err error) {
		a, err = r.Account("a")
		return err
	}); err != nil || a.Generation != int64(len(nodes)*workers*each) {
		t.Errorf("they counted to %d, %v, want %d", a.Generation, err, len(nodes)*workers*each)
	}
	var updates, commits int64
	for _, n := range nodes {
		updates, commits = updates+n.Stats().Updates, commits+n.Stats().Commits
	}
	t.Logf("%d Updates in %d commits", updates, commits)
	if commits > updates/2 {
		t.Errorf("%d Updates took %d commits", updates, commits)
	}
}
