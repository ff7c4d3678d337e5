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

// ride waits for the turn, takes it, and waits for the commit.
func (j job) ride(ctx context.Context, f func(as.Tx) error) error {
	select {
	case tx := <-j.turn:
		if err := j.run(ctx, tx, f); err != nil {
			return err
		}
		return <-j.done
	case err := <-j.done:
		return err
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
func (s *Store) commit(batch []job) {
	kept, changes, err := s.runBatch(batch)
	s.watched.Tell(changes) // also when nobody knows whether they took effect
	if err == nil && kept > 0 {
		s.stats.updates.Add(kept)
		s.stats.commits.Add(1)
	}
	for _, j := range batch {
		j.done <- err
	}
}

// runBatch runs a batch in one transaction and returns how many Updates it
// kept, and what these changed. An error is everybody's: what they wrote is
// lost, or its fate unknown.
func (s *Store) runBatch(batch []job) (kept int64, changes []as.Change, err error) {
	ctx := context.Background()
	if err := s.writer.run(ctx, "begin immediate"); err != nil {
		return 0, nil, fmt.Errorf("sqlite: %w", err)
	}
	for _, j := range batch {
		keep, changed, err := s.runOne(ctx, j)
		if err != nil {
			return 0, nil, errors.Join(fmt.Errorf("sqlite: the shared transaction failed: %w", err), s.writer.run(ctx, "rollback"))
		}
		if keep {
			kept++
			changes = append(changes, changed...)
		}
	}
	if kept == 0 {
		if err := s.writer.run(ctx, "rollback"); err != nil {
			return 0, nil, fmt.Errorf("sqlite: %w", err)
		}
		return 0, nil, nil
	}
	if err := s.writer.run(ctx, "commit"); err != nil {
		// After a commit that failed the transaction may be over or not.
		_ = s.writer.run(ctx, "rollback")
		return 0, changes, fmt.Errorf("sqlite: whether the commit took effect is unknown: %w", err)
	}
	return kept, changes, nil
}

// runOne gives one Update its turn, in a savepoint. The error is that of the
// savepoint itself and ends the batch: what would be kept is no longer known.
func (s *Store) runOne(ctx context.Context, j job) (keep bool, changed []as.Change, err error) {
	if err := s.writer.run(ctx, "savepoint one"); err != nil {
		return false, nil, err
	}
	tx := rows.New(ctx, s.writer)
	j.turn <- tx
	keep = <-j.ran
	tx.End()
	if !keep {
		if err := s.writer.run(ctx, "rollback to one"); err != nil {
			return false, nil, err
		}
	}
	return keep, tx.Changes(), s.writer.run(ctx, "release one")
}
