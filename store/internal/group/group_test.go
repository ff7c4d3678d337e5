package group_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/group"
	"github.com/licet/licet/store/internal/rows"
	"github.com/licet/licet/store/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "licet.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

// there says whether the spaces with these numbers were written.
func there(t *testing.T, s as.Store, numbers ...int) (out []bool) {
	t.Helper()
	for _, n := range numbers {
		err := s.View(t.Context(), func(r as.Reader) error {
			_, err := r.Space(as.SpaceID(fmt.Sprint(n)))
			return err
		})
		if err != nil && !errors.Is(err, as.ErrNotFound) {
			t.Fatal(err)
		}
		out = append(out, err == nil)
	}
	return out
}

var errOwn = errors.New("its own error")

// updates makes Updates that each insert a space and end with an error of the
// list, and counts how often they run.
func updates(errs ...error) (list []func(as.Tx) error, runs []int) {
	runs = make([]int, len(errs))
	for i, err := range errs {
		list = append(list, func(tx as.Tx) error {
			runs[i]++
			return errors.Join(tx.InsertSpace(as.Space{ID: as.SpaceID(fmt.Sprint(i))}), err)
		})
	}
	return list, runs
}

// Hardly any Update fails after it wrote. When one does, what its neighbours
// wrote is written all the same, and what it wrote is not.
func TestAnUpdateThatFailsAfterItWroteTakesNobodyAlong(t *testing.T) {
	s := open(t)
	list, runs := updates(nil, errOwn, nil, errOwn)
	told := group.Together(t.Context(), s.Committer, list...)
	for i, err := range told {
		if fails := i%2 == 1; fails != errors.Is(err, errOwn) || !fails && err != nil {
			t.Errorf("Update %d was told %v", i, err)
		}
	}
	if got, want := there(t, s, 0, 1, 2, 3), []bool{true, false, true, false}; !slices.Equal(got, want) {
		t.Errorf("what they wrote is there: %v, want %v", got, want)
	}
	if want := []int{2, 1, 1, 1}; !slices.Equal(runs, want) {
		t.Errorf("the Updates ran %v times, want %v", runs, want)
	}
	if got := s.Stats(); got.Updates != 2 || got.Commits != 1 {
		t.Errorf("%d Updates in %d commits", got.Updates, got.Commits)
	}
}

// An Update that fails before it wrote costs its neighbours nothing.
func TestAnUpdateThatFailsBeforeItWroteDisturbsNobody(t *testing.T) {
	s := open(t)
	list, runs := updates(nil, nil)
	list = slices.Insert(list, 1, func(as.Tx) error { return errOwn })
	told := group.Together(t.Context(), s.Committer, list...)
	if told[0] != nil || !errors.Is(told[1], errOwn) || told[2] != nil {
		t.Errorf("they were told %v", told)
	}
	if want := []int{1, 1}; !slices.Equal(runs, want) {
		t.Errorf("the neighbours ran %v times, want %v", runs, want)
	}
}

// appendTo appends to a history what comes after its head.
func appendTo(space as.SpaceID, fails error) func(as.Tx) error {
	return func(tx as.Tx) error {
		seq, hash, err := tx.HistoryHead(space)
		if err != nil && !errors.Is(err, as.ErrNotFound) {
			return err
		}
		seq++
		return errors.Join(tx.AppendEvent(as.Event{Space: space, Seq: seq, Prev: hash, Hash: []byte{byte(seq)}}), fails)
	}
}

// The head of a history is remembered from one Update to the next. One that was
// taken back is not.
func TestAHistoryHasNoGapWhereAnUpdateWasTakenBack(t *testing.T) {
	s := open(t)
	commits := 0
	c := group.Start(engine{group.EngineOf(s.Committer), func(e group.Engine, changes []as.Change) error {
		if commits++; commits == 3 {
			return errors.Join(e.Rollback(), errors.New("the line is dead"))
		}
		return e.Commit(changes)
	}}, func([]as.Change) {})
	defer c.Close()
	ok, fails := appendTo("s", nil), appendTo("s", errOwn)
	for batch, list := range [][]func(as.Tx) error{{ok}, {ok, ok}, {ok, ok}, {ok}, {ok, fails, ok}, {fails}, {ok, ok}} {
		for i, err := range group.Together(t.Context(), c, list...) {
			if lost := batch == 2 || batch == 4 && i == 1 || batch == 5; lost != (err != nil) {
				t.Errorf("Update %d of batch %d was told %v", i, batch, err)
			}
		}
	}
	err := s.View(t.Context(), func(r as.Reader) error {
		events, err := r.Events("s", 0, 100)
		for i, e := range events {
			if e.Seq != int64(i)+1 || i > 0 && !slices.Equal(e.Prev, events[i-1].Hash) {
				t.Errorf("event %d has number %d and follows %x", i, e.Seq, e.Prev)
			}
		}
		if len(events) != 8 {
			t.Errorf("there are %d events", len(events))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// breaking is an engine whose connection breaks when something is to be taken back.
type breaking struct {
	group.Engine
	broken *bool
}

func (e breaking) RollbackTo() error {
	*e.broken = !*e.broken
	if *e.broken {
		return errors.New("the line is dead")
	}
	return e.Engine.RollbackTo()
}

func (e breaking) Retryable(error) bool { return *e.broken }

// An Update that fails has left. When what it did cannot be taken back by itself
// the others run again, and nobody waits for the one that is gone.
func TestNobodyWaitsForAnUpdateThatHasLeft(t *testing.T) {
	s := open(t)
	c := group.Start(breaking{group.EngineOf(s.Committer), new(bool)}, func([]as.Change) {})
	defer c.Close()
	list, runs := updates(nil, errOwn, errOwn, nil)
	told := group.Together(t.Context(), c, list...)
	if told[0] != nil || !errors.Is(told[1], errOwn) || !errors.Is(told[2], errOwn) || told[3] != nil {
		t.Errorf("they were told %v", told)
	}
	if got := there(t, s, 0, 1, 2, 3); !slices.Equal(got, []bool{true, false, false, true}) {
		t.Errorf("what they wrote is there: %v after %v runs", got, runs)
	}
}

// engine changes how commits of a real engine end.
type engine struct {
	group.Engine
	commit func(group.Engine, []as.Change) error
}

func (e engine) Commit(changes []as.Change) error { return e.commit(e.Engine, changes) }

// When a commit fails nobody knows whether it took effect. Everybody in it is
// told so, and what may have changed is told to the watchers.
func TestAFailedCommitIsToldToEverybodyInIt(t *testing.T) {
	s := open(t)
	lost := errors.New("the line is dead")
	var heard []as.Change
	c := group.Start(engine{group.EngineOf(s.Committer), func(e group.Engine, changes []as.Change) error {
		return errors.Join(e.Commit(changes), lost)
	}}, func(changes []as.Change) { heard = append(heard, changes...) })
	defer c.Close()
	list, _ := updates(nil, nil)
	list = append(list, func(as.Tx) error { return errOwn }, func(tx as.Tx) error { return tx.BumpSpace("0") })
	for i, err := range group.Together(t.Context(), c, list...) {
		if i == 2 && !errors.Is(err, errOwn) || i != 2 && !errors.Is(err, lost) {
			t.Errorf("Update %d was told %v", i, err)
		}
	}
	if !slices.Contains(heard, as.ChangedSpace("0")) {
		t.Errorf("the watchers heard of %q", heard)
	}
}

// What the database could not serialize runs again, and is done once.
func TestWhatCannotBeSerializedRunsAgain(t *testing.T) {
	s := open(t)
	conflicts := 3
	c := group.Start(engine{group.EngineOf(s.Committer), func(e group.Engine, changes []as.Change) error {
		if conflicts--; conflicts >= 0 {
			return errors.Join(e.Rollback(), group.ErrAgain)
		}
		return e.Commit(changes)
	}}, func([]as.Change) {})
	defer c.Close()
	list, runs := updates(nil, nil)
	for i, err := range group.Together(context.Background(), c, list...) {
		if err != nil {
			t.Errorf("Update %d was told %v", i, err)
		}
	}
	if want := []int{4, 4}; !slices.Equal(runs, want) {
		t.Errorf("the Updates ran %v times, want %v", runs, want)
	}
	if got := there(t, s, 0, 1); !slices.Equal(got, []bool{true, true}) {
		t.Errorf("what they wrote is there: %v", got)
	}
}

// A database that never serializes is an error in the end, and nothing is
// written.
func TestAConflictWithoutEndIsAnError(t *testing.T) {
	s := open(t)
	c := group.Start(engine{group.EngineOf(s.Committer), func(e group.Engine, _ []as.Change) error {
		return errors.Join(e.Rollback(), group.ErrAgain)
	}}, func([]as.Change) {})
	defer c.Close()
	list, _ := updates(nil)
	if told := group.Together(t.Context(), c, list...); !errors.Is(told[0], group.ErrAgain) {
		t.Errorf("the Update was told %v", told[0])
	}
	if got := there(t, s, 0); got[0] {
		t.Error("what it wrote is there")
	}
}

// reconnecting is an engine that counts what it is asked, and says when its connection
// is another one.
type reconnecting struct {
	group.Engine
	anew  *bool
	asked *int
}

func (e reconnecting) Begin(careful bool) (bool, error) {
	_, err := e.Engine.Begin(careful)
	return *e.anew, err
}

func (e reconnecting) DB() rows.DB { return asked{e.Engine.DB(), e.asked} }

type asked struct {
	rows.DB
	n *int
}

func (d asked) Query(query string, args ...any) (rows.Found, error) {
	*d.n++
	return d.DB.Query(query, args...)
}

// The head of a history is asked for once. It is asked for again on a new connection:
// it may be one to a database that has lost the end of the history.
func TestTheHeadOfAHistoryIsRememberedAsLongAsTheConnectionLasts(t *testing.T) {
	s := open(t)
	var anew bool
	var n int
	c := group.Start(reconnecting{group.EngineOf(s.Committer), &anew, &n}, func([]as.Change) {})
	defer c.Close()
	for batch, of := range []struct {
		anew bool
		want int
	}{{false, 1}, {false, 1}, {false, 0}, {false, 0}, {true, 1}, {false, 0}} { // the first event has none before it
		anew, n = of.anew, 0
		if err := errors.Join(group.Together(t.Context(), c, appendTo("s", nil))...); err != nil {
			t.Fatal(err)
		}
		if n != of.want {
			t.Errorf("in batch %d the store was asked %d times, want %d", batch, n, of.want)
		}
	}
}
