package group

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
)

// Engine is one connection of a database and its transactions. It is used by one
// committer, one call at a time.
type Engine interface {
	// Begin begins a transaction. In a careful one every Update has a savepoint,
	// and every statement is carried out before it returns. anew says that it is on
	// another connection than the one before: what that one left may be lost.
	Begin(careful bool) (anew bool, err error)
	DB() rows.DB
	Savepoint() error
	RollbackTo() error
	Release() error
	// Commit makes durable what the transaction wrote, and what it changed known
	// to other nodes. After an error that is none of errors.Is [ErrAgain] nobody knows
	// whether it did.
	Commit(changes []as.Change) error
	// Rollback takes the transaction back, whatever state it is in.
	Rollback() error
	// Retryable says whether a transaction that met with this error has to be run
	// again.
	Retryable(error) bool
}

// ErrAgain is the error of a Commit that surely had no effect, and may have one the
// next time.
var ErrAgain = errors.New("group: the transaction has to run again")

// ErrClosed is what comes back when the committer was closed.
var ErrClosed = errors.New("store: the store is closed")

// Stats tells how many Updates took effect and in how many commits.
type Stats struct{ Updates, Commits int64 }

// Committer runs Updates on an engine. Make one with [Start].
type Committer struct {
	engine  Engine
	tell    func([]as.Change)
	queue   chan *job
	closing chan struct{}
	closed  sync.Once
	running sync.WaitGroup
	updates atomic.Int64
	commits atomic.Int64

	heads rows.Heads // of histories, as the batches before left them
	wary  int        // how many batches more do not believe those
}

// Start starts a committer. tell is called with what was changed, or may have
// been, before the Updates that changed it return.
func Start(e Engine, tell func([]as.Change)) *Committer {
	c := &Committer{engine: e, tell: tell, queue: make(chan *job), closing: make(chan struct{})}
	c.running.Go(c.commitAll)
	return c
}

// Stats returns the figures since Start.
func (c *Committer) Stats() Stats {
	return Stats{Updates: c.updates.Load(), Commits: c.commits.Load()}
}

// Closing is closed when Close begins.
func (c *Committer) Closing() <-chan struct{} { return c.closing }

// Close refuses new Updates and waits for those that are running.
func (c *Committer) Close() {
	c.closed.Do(func() { close(c.closing) })
	c.running.Wait()
}

// job is one Update on its way through the committer.
type job struct {
	turn chan *rows.Tx // the committer: it is your turn
	ran  chan outcome  // the Update: my function is through
	done chan error    // the committer: what became of the commit
}

// outcome is how the function of an Update ended.
type outcome int

const (
	leaves  outcome = iota // with an error, which is its own and has been returned
	stays                  // well
	retries                // the database could not serialize it
)

func newJob() *job {
	return &job{turn: make(chan *rows.Tx, 1), ran: make(chan outcome, 1), done: make(chan error, 1)}
}

// idle are jobs of Updates that have been told what became of them, to be used again.
var idle = sync.Pool{New: func() any { return newJob() }}

// Update is that of as.Store. It returns when what f wrote is durable. Once f has
// run, the outcome is told even if ctx has ended meanwhile.
func (c *Committer) Update(ctx context.Context, f func(as.Tx) error) error {
	j := idle.Get().(*job)
	select {
	case c.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closing:
		return ErrClosed
	}
	return c.ride(ctx, j, f)
}

// ride waits for the turn, takes it, and waits for the commit. The turn may come
// again.
func (c *Committer) ride(ctx context.Context, j *job, f func(as.Tx) error) error {
	for {
		select {
		case tx := <-j.turn:
			if how, err := c.take(ctx, j, tx, f); how == leaves {
				return err
			}
		case err := <-j.done:
			idle.Put(j)
			return err
		}
	}
}

// take runs f and tells the committer how it went, also when f panics or ends
// its goroutine.
func (c *Committer) take(ctx context.Context, j *job, tx *rows.Tx, f func(as.Tx) error) (how outcome, err error) {
	defer func() { j.ran <- how }()
	if err := ctx.Err(); err != nil {
		return leaves, err
	}
	if err = f(tx); err != nil {
		tx.Settle() // it may have failed because of what it was told too early
	}
	if spoiled := tx.Err(); spoiled != nil && c.engine.Retryable(spoiled) {
		return retries, nil
	} else if err == nil {
		err = spoiled
	}
	if err != nil {
		return leaves, err
	}
	return stays, nil
}

// maxBatch is the most Updates that share a commit.
const maxBatch = 256

// commitAll is the committer. It never waits for more to arrive: while one batch
// is on its way to the disk the next one gathers by itself.
func (c *Committer) commitAll() {
	for {
		select {
		case j := <-c.queue:
			c.commit(c.gather(j))
		case <-c.closing:
			return
		}
	}
}

// gather takes what is waiting, and what comes as soon as those who could run have run.
func (c *Committer) gather(first *job) []*job {
	batch := []*job{first}
	for before := 0; len(batch) < maxBatch; {
		select {
		case j := <-c.queue:
			batch = append(batch, j)
		default:
			if len(batch) == before {
				return batch
			}
			before = len(batch)
			runtime.Gosched()
		}
	}
	return batch
}

// maxRuns and maxTime bound how often, and for how long, a batch is run again.
const (
	maxRuns = 30
	maxTime = 10 * time.Second
)

// What the batches before left behind holds for the next if nobody else writes
// meanwhile. After a batch that had to run again, perhaps because somebody did, that
// is not believed for so many batches.
const waryFor = 64

// commit runs a batch and tells each Update what became of it. Those that
// failed by themselves have left already and do not hear it.
func (c *Committer) commit(all []*job) {
	began := time.Now()
	if c.wary = max(c.wary-1, 0); c.wary > 0 {
		c.heads.Forget()
	}
	b, err := c.run(all, false)
	if errors.Is(err, ErrAgain) {
		c.wary = waryFor
	}
	for again := 1; errors.Is(err, ErrAgain) && again < maxRuns && time.Since(began) < maxTime; again++ {
		if again > 1 {
			time.Sleep(time.Duration(rand.IntN(again)) * time.Millisecond) // so that two nodes do not meet again
		}
		b, err = c.run(b.kept, true)
	}
	if errors.Is(err, ErrAgain) {
		err = fmt.Errorf("%w: %w", as.ErrUnavailable, err)
	}
	c.tell(b.changes) // also when nobody knows whether they took effect
	if err == nil && len(b.kept) > 0 {
		c.updates.Add(int64(len(b.kept)))
		c.commits.Add(1)
	}
	for _, j := range all {
		j.done <- err
	}
}

// batch is what became of the Updates of one transaction.
type batch struct {
	kept    []*job
	changes []as.Change
}

// run runs a batch in one transaction. An error is everybody's who is left: what
// they wrote is lost, or its fate unknown. With ErrAgain it is lost, and what is
// left of the batch is to be run again.
func (c *Committer) run(all []*job, careful bool) (b batch, err error) {
	if len(all) == 0 {
		return b, nil
	}
	defer func() {
		if err != nil {
			c.heads.Forget()
		}
	}()
	anew, err := c.engine.Begin(careful)
	if err != nil {
		return b, fmt.Errorf("store: beginning: %w", err)
	}
	if anew {
		c.heads.Forget()
	}
	again := false
	for _, j := range all {
		if again {
			b.kept = append(b.kept, j)
			continue
		}
		tx, how, err := c.runOne(j, careful)
		if err != nil {
			if err = fmt.Errorf("store: the shared transaction failed: %w", err); c.engine.Retryable(err) {
				if again = true; how != leaves {
					b.kept = append(b.kept, j)
				}
				continue
			}
			return batch{}, errors.Join(err, c.engine.Rollback())
		}
		switch how {
		case stays:
			b.kept = append(b.kept, j)
			b.changes = append(b.changes, tx.Changes()...)
		case retries:
			b.kept, again = append(b.kept, j), true
		case leaves:
			again = !careful && tx.Wrote()
		}
	}
	if again || len(b.kept) == 0 {
		if err := c.engine.Rollback(); err != nil {
			return batch{}, fmt.Errorf("store: %w", err)
		}
		if again {
			err = ErrAgain
		}
		return batch{kept: b.kept}, err
	}
	if err := c.engine.Commit(b.changes); errors.Is(err, ErrAgain) {
		return batch{kept: b.kept}, err
	} else if err != nil {
		return b, fmt.Errorf("store: whether the commit took effect is unknown: %w", err)
	}
	return b, nil
}

// runOne gives one Update its turn. The error is that of the savepoint itself
// and ends the batch: what would be kept is no longer known.
func (c *Committer) runOne(j *job, careful bool) (tx *rows.Tx, how outcome, err error) {
	if careful {
		if err := c.engine.Savepoint(); err != nil {
			return nil, retries, err
		}
	}
	if careful {
		tx = rows.New(c.engine.DB())
	} else {
		tx = rows.NewRemembering(c.engine.DB(), &c.heads)
	}
	j.turn <- tx
	how = <-j.ran
	tx.End()
	switch {
	case !careful || how == retries:
		return tx, how, nil
	case how == leaves:
		err = c.engine.RollbackTo()
	}
	if err == nil {
		err = c.engine.Release()
	}
	return tx, how, err
}
