package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
)

// job is one Update on its way through the committer. The function of an Update
// runs in the goroutine that called it, when its turn comes, so that a panic
// is the caller's with its own stack, and a test may end there.
type job struct {
	turn chan *rows.Tx // the committer: it is your turn
	ran  chan bool     // the Update: my function is through; whether to keep what it wrote
	done chan error    // the committer: what became of the commit
}

func newJob() job {
	return job{turn: make(chan *rows.Tx, 1), ran: make(chan bool, 1), done: make(chan error, 1)}
}

// Update implements as.Store. It returns when what f wrote is on the disk. Once
// f has run, the outcome is told even if ctx has ended meanwhile.
func (s *Store) Update(ctx context.Context, f func(as.Tx) error) error {
	j := newJob()
	select {
	case s.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return errClosed
	}
	return j.ride(ctx, f)
}

// ride waits for the turn, takes it, and waits for the commit. The turn may come
// again.
func (j job) ride(ctx context.Context, f func(as.Tx) error) error {
	for {
		select {
		case tx := <-j.turn:
			if err := j.run(ctx, tx, f); err != nil {
				return err
			}
		case err := <-j.done:
			return err
		}
	}
}

// run runs f and tells the committer how it went, also when f panics or ends
// its goroutine.
func (j job) run(ctx context.Context, tx *rows.Tx, f func(as.Tx) error) error {
	keep := false
	defer func() { j.ran <- keep }()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Err(); err != nil {
		return err
	}
	keep = true
	return nil
}

// maxBatch is the most Updates that share a commit.
const maxBatch = 256

// commitAll is the committer. It never waits for more to arrive: while one batch
// is on its way to the disk the next one gathers by itself.
func (s *Store) commitAll() {
	defer s.running.Done()
	for {
		select {
		case j := <-s.queue:
			s.commit(s.gather(j))
		case <-s.closing:
			return
		}
	}
}

// gather takes what is waiting.
func (s *Store) gather(first job) []job {
	batch := []job{first}
	for len(batch) < maxBatch {
		select {
		case j := <-s.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch and tells each Update what became of it. Those that
// failed by themselves have left already and do not hear it.
func (s *Store) commit(all []job) {
	b, err := s.run(all, false)
	if errors.Is(err, errTainted) {
		b, err = s.run(b.kept, true)
	}
	s.watched.Tell(b.changes) // also when nobody knows whether they took effect
	if err == nil && len(b.kept) > 0 {
		s.stats.updates.Add(int64(len(b.kept)))
		s.stats.commits.Add(1)
	}
	for _, j := range all {
		j.done <- err
	}
}

// batch is what became of the Updates of one transaction.
type batch struct {
	kept    []job
	changes []as.Change
}

// errTainted takes a batch back in which an Update failed after it had written
// something. What is left of the batch runs again.
var errTainted = errors.New("sqlite: an Update failed after it wrote")

// run runs a batch in one transaction. An error is everybody's: what they wrote
// is lost, or its fate unknown.
//
// Hardly any Update fails after it wrote, and a savepoint for each would cost as
// much as its statements: SQLite copies every page that one touches. So at first
// there are none, and only a batch that is tainted runs again, careful, with a
// savepoint for each.
func (s *Store) run(all []job, careful bool) (b batch, err error) {
	if len(all) == 0 {
		return b, nil
	}
	if err := s.writer.run("begin immediate"); err != nil {
		return b, fmt.Errorf("sqlite: %w", err)
	}
	tainted := false
	for _, j := range all {
		if tainted {
			b.kept = append(b.kept, j)
			continue
		}
		tx, keep, err := s.runOne(j, careful)
		if err != nil {
			return batch{}, errors.Join(fmt.Errorf("sqlite: the shared transaction failed: %w", err), s.writer.run("rollback"))
		}
		if keep {
			b.kept = append(b.kept, j)
			b.changes = append(b.changes, tx.Changes()...)
		}
		tainted = !keep && !careful && tx.Wrote()
	}
	switch {
	case tainted:
		if err := s.writer.run("rollback"); err != nil {
			return batch{}, fmt.Errorf("sqlite: %w", err)
		}
		return batch{kept: b.kept}, errTainted
	case len(b.kept) == 0:
		if err := s.writer.run("rollback"); err != nil {
			return batch{}, fmt.Errorf("sqlite: %w", err)
		}
		return batch{}, nil
	}
	if err := s.writer.run("commit"); err != nil {
		// After a commit that failed the transaction may be over or not.
		_ = s.writer.run("rollback")
		return b, fmt.Errorf("sqlite: whether the commit took effect is unknown: %w", err)
	}
	return b, nil
}

// runOne gives one Update its turn. The error is that of the savepoint itself
// and ends the batch: what would be kept is no longer known.
func (s *Store) runOne(j job, careful bool) (tx *rows.Tx, keep bool, err error) {
	if careful {
		if err := s.writer.run("savepoint one"); err != nil {
			return nil, false, err
		}
	}
	tx = rows.New(s.writer)
	j.turn <- tx
	keep = <-j.ran
	tx.End()
	if !careful {
		return tx, keep, nil
	}
	if !keep {
		if err := s.writer.run("rollback to one"); err != nil {
			return nil, false, err
		}
	}
	return tx, keep, s.writer.run("release one")
}
