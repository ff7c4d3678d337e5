package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
)

// Open opens the store that is kept in a directory; a directory that was opened
// before still has what was written there. It fails the test if it cannot.
type Open func(t *testing.T, dir string) as.Store

// rule is one article of the law.
type rule struct {
	says  string
	holds func(*scene)
}

// Run holds a store against the whole law.
func Run(t *testing.T, open Open) {
	shared := open(t, t.TempDir())
	t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	for _, chapter := range [][]rule{
		records, signingIn, changes, past, isolation, pages, transactions, spending, counting, generations, sweeping, outbox, uses, watching, durability,
	} {
		for _, r := range chapter {
			t.Run(r.says, func(t *testing.T) {
				r.holds(&scene{T: t, store: shared, open: open, name: fmt.Sprintf("s%d", scenes.Add(1))})
			})
		}
	}
}

var scenes atomic.Int64

// scene is where a rule is tried: a store, and names that no other scene uses.
type scene struct {
	*testing.T
	store as.Store
	open  Open
	name  string
}

// alone returns the scene with a store of its own.
func (s *scene) alone() *scene {
	store := s.open(s.T, s.TempDir())
	s.Cleanup(func() {
		if err := store.Close(); err != nil {
			s.Errorf("closing the store: %v", err)
		}
	})
	return &scene{T: s.T, store: store, open: s.open, name: s.name}
}

// beside returns a scene on the same store with other names.
func (s *scene) beside() *scene {
	return &scene{T: s.T, store: s.store, open: s.open, name: fmt.Sprintf("s%d", scenes.Add(1))}
}

// id makes a name of this scene, digest a digest.
func (s *scene) id(what string) string { return s.name + "-" + what }

func (s *scene) digest(what string) as.Digest {
	d := make(as.Digest, 33)
	copy(d, "\x00\xff"+s.id(what))
	return d
}

// now is the time of every scene.
var now = time.Date(2026, 3, 29, 1, 59, 59, 0, time.UTC)

// try runs an Update and returns its error.
func (s *scene) try(f func(as.Tx) error) error {
	return s.store.Update(context.Background(), f)
}

// update runs an Update that has to succeed.
func (s *scene) update(f func(as.Tx) error) {
	s.Helper()
	if err := s.try(f); err != nil {
		s.Fatalf("update: %v", err)
	}
}

// view runs a View that has to succeed.
func (s *scene) view(f func(as.Reader) error) {
	s.Helper()
	if err := s.store.View(context.Background(), f); err != nil {
		s.Fatalf("view: %v", err)
	}
}

// refused runs an Update that has to fail with this error.
func (s *scene) refused(want error, what string, f func(as.Tx) error) {
	s.Helper()
	if err := s.try(f); !errors.Is(err, want) {
		s.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// must returns what was read, which has to be there.
func must[T any](s *scene, read func(as.Reader) (T, error)) T {
	s.Helper()
	var v T
	s.view(func(r as.Reader) (err error) {
		v, err = read(r)
		return err
	})
	return v
}

// none returns a function that fails the scene if a list has anything in it. It
// is one that takes the results of a call.
func none(s *scene, what string) func(list any, err error) {
	return func(list any, err error) {
		s.Helper()
		if n := reflect.ValueOf(list).Len(); err != nil || n != 0 {
			s.Errorf("%s: got %d records and error %v, want none", what, n, err)
		}
	}
}
