package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/licet/licet/as"
)

var transactions = []rule{
	{"an Update reads what it wrote", updatesReadTheirWrites},
	{"an Update that fails leaves nothing and returns its error", failedUpdatesLeaveNothing},
	{"an Update that panics leaves nothing and the store goes on", panickingUpdatesLeaveNothing},
	{"an Update that fails does not hurt its neighbours", neighboursAreUnhurt},
	{"an Update that the database refuses does not hurt its neighbours", refusalsHurtNobodyElse},
	{"an Update that fails was told the truth until then", failingUpdatesAreToldTheTruth},
	{"an Update whose context has ended does not run", endedContextsDoNotRun},
	{"Updates take effect one after another", updatesAreSerial},
	{"a View stays on its snapshot", viewsStayOnTheirSnapshot},
	{"a View never sees half an Update", viewsSeeWholeUpdates},
	{"a View returns its error", viewsReturnTheirError},
	{"a closed store refuses", closedStoresRefuse},
}

var errOwn = errors.New("the caller's own error")

// insertEverything writes a record of each kind.
func (s *scene) insertEverything(tx as.Tx) error {
	for _, r := range s.recordsOf(fillers["full"]) {
		if err := r.insert(tx); err != nil {
			return fmt.Errorf("inserting the %s: %w", r.what, err)
		}
	}
	return nil
}

// nothingLeft checks that nothing of the scene's records is there.
func (s *scene) nothingLeft() {
	s.Helper()
	s.view(func(r as.Reader) error {
		for _, gone := range s.recordsOf(fillers["full"]) {
			if _, err := gone.read(r); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("the %s of an Update that did not succeed: got %v, want ErrNotFound", gone.what, err)
			}
		}
		return nil
	})
}

func updatesReadTheirWrites(s *scene) {
	s.update(func(tx as.Tx) error {
		if err := s.insertEverything(tx); err != nil {
			return err
		}
		for _, r := range s.recordsOf(fillers["full"]) {
			got, err := r.read(tx)
			if err != nil {
				return err
			}
			same(s, "the "+r.what, got, r.want)
		}
		return nil
	})
}

func failedUpdatesLeaveNothing(s *scene) {
	s.refused(errOwn, "a failing Update", func(tx as.Tx) error { return errors.Join(s.insertEverything(tx), errOwn) })
	s.nothingLeft()
	s.update(s.insertEverything)
	space := func() int64 {
		return must(s, func(r as.Reader) (as.Space, error) { return r.Space(s.space()) }).Generation
	}
	before := space()
	s.refused(errOwn, "a failing Update of what was there", func(tx as.Tx) error {
		return errors.Join(tx.BumpSpace(s.space()), tx.DeleteSession(s.digest("session")), errOwn)
	})
	if after := space(); after != before {
		s.Errorf("an Update that failed raised the generation from %d to %d", before, after)
	}
	must(s, func(r as.Reader) (as.Session, error) { return r.Session(s.digest("session")) })
}

func panickingUpdatesLeaveNothing(s *scene) {
	func() {
		defer func() {
			if p := recover(); p != nil && p != errOwn {
				panic(p)
			}
		}()
		err := s.try(func(tx as.Tx) error {
			if err := s.insertEverything(tx); err != nil {
				return err
			}
			panic(errOwn)
		})
		if err == nil {
			s.Errorf("an Update that panicked succeeded")
		}
	}()
	s.nothingLeft()
	s.update(s.insertEverything)
}

func neighboursAreUnhurt(s *scene) {
	s.crowd(func(each *scene, tx as.Tx, fails bool) error {
		err := errors.Join(tx.InsertSpace(as.Space{ID: each.space()}), tx.AppendEvent(as.Event{Space: each.space(), Seq: 1, Hash: []byte{1}}))
		if fails {
			return errors.Join(err, errOwn)
		}
		return err
	}, func(err error) bool { return errors.Is(err, errOwn) })
}

// An event without a hash is nothing that a store keeps.
func refusalsHurtNobodyElse(s *scene) {
	s.crowd(func(each *scene, tx as.Tx, fails bool) error {
		event := as.Event{Space: each.space(), Seq: 1, Hash: []byte{1}}
		if fails {
			event.Hash = nil
		}
		return errors.Join(tx.InsertSpace(as.Space{ID: each.space()}), tx.AppendEvent(event))
	}, func(err error) bool {
		return err != nil && !errors.Is(err, as.ErrExists) && !errors.Is(err, as.ErrNotFound) && !errors.Is(err, as.ErrUnavailable)
	})
}

func failingUpdatesAreToldTheTruth(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertGrant(as.Grant{ID: s.grant()}) })
	var told error
	s.refused(errOwn, "an Update that fails", func(tx as.Tx) error {
		told = tx.InsertGrant(as.Grant{ID: s.grant()})
		return errOwn
	})
	if !errors.Is(told, as.ErrExists) {
		s.Errorf("inserting a grant again: told %v, want ErrExists", told)
	}
}

// crowd runs many Updates at once, of which every third fails, and looks whether
// each of the others is kept.
func (s *scene) crowd(act func(each *scene, tx as.Tx, fails bool) error, failed func(error) bool) {
	s.Helper()
	const rounds, crowd = 4, 48
	var kept, gone []*scene
	var all sync.WaitGroup
	for n := range rounds * crowd {
		each := s.beside()
		fails := n%3 == 1
		if fails {
			gone = append(gone, each)
		} else {
			kept = append(kept, each)
		}
		all.Go(func() {
			err := each.try(func(tx as.Tx) error { return act(each, tx, fails) })
			if failed(err) != fails || err != nil && !fails {
				s.Errorf("an Update among others: got %v, to fail was %v", err, fails)
			}
		})
	}
	all.Wait()
	s.view(func(r as.Reader) error {
		for _, each := range kept {
			if err := errors.Join(errOf(r.Space(each.space())), headOf(r, each.space())); err != nil {
				s.Errorf("the records of an Update that succeeded: %v", err)
			}
		}
		for _, each := range gone {
			if _, err := r.Space(each.space()); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("the space of an Update that failed: got %v, want ErrNotFound", err)
			}
		}
		return nil
	})
}

func endedContextsDoNotRun(s *scene) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.store.Update(ctx, func(as.Tx) error { s.Error("an Update ran"); return nil }); !errors.Is(err, context.Canceled) {
		s.Errorf("an Update in an ended context: got %v, want context.Canceled", err)
	}
	if err := s.store.View(ctx, func(as.Reader) error { s.Error("a View ran"); return nil }); !errors.Is(err, context.Canceled) {
		s.Errorf("a View in an ended context: got %v, want context.Canceled", err)
	}
}

func updatesAreSerial(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertAccount(as.Account{ID: s.account(), Email: s.id("@")}) })
	var all sync.WaitGroup
	for range racers {
		all.Go(func() {
			err := s.try(func(tx as.Tx) error {
				a, err := tx.Account(s.account())
				if err != nil {
					return err
				}
				a.Generation++
				return tx.UpdateAccount(a)
			})
			if err != nil {
				s.Errorf("counting: %v", err)
			}
		})
	}
	all.Wait()
	if got := must(s, func(r as.Reader) (as.Account, error) { return r.Account(s.account()) }).Generation; got != racers {
		s.Errorf("%d Updates counted to %d", racers, got)
	}
}

func viewsStayOnTheirSnapshot(s *scene) {
	late := s.beside()
	s.update(func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: s.space(), Generation: 1}) })
	s.view(func(r as.Reader) error {
		for range 3 {
			got, err := r.Space(s.space())
			if err != nil || got.Generation != 1 {
				s.Errorf("the View reads generation %d and error %v, want 1", got.Generation, err)
			}
			if _, err := r.Space(late.space()); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("a space that is younger than the View: got %v, want ErrNotFound", err)
			}
			err = s.try(func(tx as.Tx) error {
				if err := tx.InsertSpace(as.Space{ID: late.space()}); !errors.Is(err, as.ErrExists) && err != nil {
					return err
				}
				return tx.BumpSpace(s.space())
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if got := must(s, func(r as.Reader) (as.Space, error) { return r.Space(s.space()) }).Generation; got != 4 {
		s.Errorf("the next View reads generation %d, want 4", got)
	}
}

func viewsSeeWholeUpdates(s *scene) {
	other := s.beside()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSpace(as.Space{ID: s.space()}), tx.InsertSpace(as.Space{ID: other.space()}))
	})
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for last := int64(0); !stop.Load(); {
				var one, two as.Space
				err := s.store.View(context.Background(), func(r as.Reader) (err error) {
					if one, err = r.Space(s.space()); err != nil {
						return err
					}
					two, err = r.Space(other.space())
					return err
				})
				if err != nil || one.Generation != two.Generation || one.Generation < last {
					s.Errorf("a View reads %d and %d after %d, error %v", one.Generation, two.Generation, last, err)
					return
				}
				last = one.Generation
			}
		})
	}
	for range 100 {
		s.update(func(tx as.Tx) error { return errors.Join(tx.BumpSpace(s.space()), tx.BumpSpace(other.space())) })
	}
	stop.Store(true)
	readers.Wait()
}

func viewsReturnTheirError(s *scene) {
	if err := s.store.View(context.Background(), func(as.Reader) error { return errOwn }); !errors.Is(err, errOwn) {
		s.Errorf("got %v, want the caller's own error", err)
	}
}

func closedStoresRefuse(s *scene) {
	store := s.open(s.T, s.TempDir())
	if err := store.Close(); err != nil {
		s.Fatalf("closing: %v", err)
	}
	if err := store.Update(context.Background(), func(as.Tx) error { s.Error("an Update ran"); return nil }); err == nil {
		s.Error("an Update of a closed store succeeded")
	}
	if err := store.View(context.Background(), func(as.Reader) error { s.Error("a View ran"); return nil }); err == nil {
		s.Error("a View of a closed store succeeded")
	}
}
