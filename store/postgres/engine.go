package postgres

import (
	"errors"
	"fmt"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/group"
	"github.com/licet/licet/store/internal/rows"
)

// engine is the writing connection as a group.Engine.
type engine struct{ *conn }

// Every transaction that writes holds the first of these locks, so that one that
// met with another can have the database to itself when it runs again. A lock is
// taken before anything is read: what it waited for is seen.
const (
	amongOthers = "lock table changes in row exclusive mode"
	alone       = "lock table changes in exclusive mode"
)

func (e engine) Begin(careful bool) (anew bool, err error) {
	lock := amongOthers
	if isConflict(e.failure) {
		lock = alone
	}
	e.defers = !careful
	before := e.pg
	if err := e.begin("begin isolation level serializable"); err != nil {
		return false, err
	}
	return e.pg != before, e.queue(lock)
}

func (e engine) DB() rows.DB { return e.conn }

func (e engine) Savepoint() error { return e.queue("savepoint one") }
func (e engine) Release() error   { return e.queue("release savepoint one") }

// RollbackTo takes back what one Update did, whatever it met with.
func (e engine) RollbackTo() error {
	if e.lost() {
		return e.failure
	}
	e.failure = nil
	_, err := e.Exec("rollback to savepoint one")
	return err
}

// Commit writes down what was changed, commits and notifies, in one exchange.
func (e engine) Commit(changes []as.Change) error {
	if len(changes) > 0 {
		what, err := writeChanges(changes)
		if err != nil {
			return errors.Join(err, e.Rollback())
		}
		if err := errors.Join(e.queue(insertChanges, what), e.queue(notify)); err != nil {
			return e.ended(err)
		}
	}
	tag, err := e.run("commit")
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("postgres: the server took the transaction back")
	}
	return e.ended(err)
}

// ended says what became of a commit. What the database refused did not happen;
// an insertion that was put off may be why, so that it is tried again step by
// step. When nothing came back nobody knows.
func (e engine) ended(err error) error {
	if err == nil {
		return nil
	}
	again := !e.lost() && (e.defers || isConflict(err))
	if back := e.Rollback(); again && back == nil {
		return fmt.Errorf("%w: %w", group.ErrAgain, err)
	}
	return err
}

// Rollback takes the transaction back. A connection on which even that fails is
// given up, and the transaction with it.
func (e engine) Rollback() error {
	if e.lost() {
		return nil
	}
	failure := e.failure
	e.failure = nil
	e.forgetWaiting()
	if _, err := e.run("rollback"); err != nil {
		e.close()
	}
	e.failure = failure // for Begin
	return nil
}

// Retryable implements group.Engine. A connection that was lost before the commit
// took its transaction along. And as long as insertions are put off nobody knows
// whose statement it was that the database refused.
func (e engine) Retryable(err error) bool {
	return e.lost() || isConflict(err) || e.defers && refused(err) && !isAway(err)
}
