package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
)

// job is one Update on its way through the committer.
type job struct {
	ctx  context.Context
	f    func(as.Tx) error
	done chan outcome
}

// outcome is what a waiting Update is told.
type outcome struct {
	err      error
	panicked any // what f panicked with
}

// Update implements as.Store. It returns when what f wrote is on the disk. Once
// f has begun, the outcome is told even if ctx ends meanwhile.
func (s *Store) Update(ctx context.Context, f func(as.Tx) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan outcome, 1)}
	select {
	case s.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return errClosed
	}
	o := <-j.done
	if o.panicked != nil {
		panic(o.panicked)
	}
	return o.err
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
func (s *Store) gather(first *job) []*job {
	batch := []*job{first}
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

// errBatch says that the transaction that several Updates shared is lost.
var errBatch = errors.New("sqlite: the shared transaction failed")

// commit runs a batch in one transaction and tells each its outcome.
func (s *Store) commit(batch []*job) {
	outcomes, err := s.runBatch(batch)
	wrote := int64(0)
	for i, j := range batch {
		switch {
		case err != nil && outcomes[i].err == nil && outcomes[i].panicked == nil:
			outcomes[i].err = err
		case outcomes[i].err == nil && outcomes[i].panicked == nil:
			wrote++
		}
		j.done <- outcomes[i]
	}
	if err == nil {
		s.stats.updates.Add(wrote)
		s.stats.commits.Add(1)
	}
}

func (s *Store) runBatch(batch []*job) ([]outcome, error) {
	ctx := context.Background()
	outcomes := make([]outcome, len(batch))
	if err := s.writer.run(ctx, "begin immediate"); err != nil {
		return outcomes, fmt.Errorf("sqlite: %w", err)
	}
	for i, j := range batch {
		var err error
		if outcomes[i], err = s.runOne(j); err != nil {
			return outcomes, errors.Join(errBatch, err, s.writer.run(ctx, "rollback"))
		}
	}
	if err := s.writer.run(ctx, "commit"); err != nil {
		// After a commit that failed the transaction may be over or not.
		_ = s.writer.run(ctx, "rollback")
		return outcomes, fmt.Errorf("sqlite: whether the commit took effect is unknown: %w", err)
	}
	return outcomes, nil
}

// runOne runs one Update in a savepoint. The error is that of the savepoint
// itself and ends the batch: what would be kept is no longer known.
func (s *Store) runOne(j *job) (o outcome, err error) {
	if err := j.ctx.Err(); err != nil {
		return outcome{err: err}, nil
	}
	ctx := context.WithoutCancel(j.ctx)
	if err := s.writer.run(ctx, "savepoint one"); err != nil {
		return o, err
	}
	o = call(j.f, rows.New(ctx, s.writer))
	if o.err != nil || o.panicked != nil {
		if err := s.writer.run(ctx, "rollback to one"); err != nil {
			return o, err
		}
	}
	return o, s.writer.run(ctx, "release one")
}

// call runs f and catches its panic, which belongs to the caller of Update and
// not to the committer.
func call(f func(as.Tx) error, tx as.Tx) (o outcome) {
	defer func() { o.panicked = recover() }()
	o.err = f(tx)
	return o
}
