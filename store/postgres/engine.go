package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/group"
	"github.com/licet/licet/store/internal/rows"
)

// engine is the writing connection as a group.Engine. It connects anew when the
// connection was lost.
type engine struct {
	config *pgx.ConnConfig
	raw    *pgx.Conn
	tx     *conn
}

func (e *engine) Begin(careful bool) error {
	if e.raw == nil || e.raw.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		var err error
		if e.raw, err = pgx.ConnectConfig(ctx, e.config); err != nil {
			return fmt.Errorf("%w: %w", as.ErrUnavailable, err)
		}
	}
	e.tx = newConn(e.raw, "begin isolation level serializable", !careful)
	return nil
}

func (e *engine) DB() rows.DB { return e.tx }

func (e *engine) Savepoint() error {
	e.tx.queue("savepoint one")
	return nil
}

func (e *engine) RollbackTo() error {
	_, err := e.tx.Exec("rollback to savepoint one")
	return err
}

func (e *engine) Release() error {
	_, err := e.tx.Exec("release savepoint one")
	return err
}

// Commit writes down what was changed, commits and notifies, in one exchange.
func (e *engine) Commit(changes []as.Change) error {
	if len(changes) > 0 {
		what, err := json.Marshal(changes)
		if err != nil {
			return errors.Join(err, e.Rollback())
		}
		e.tx.queue(insertChanges, string(what))
		e.tx.queue(`select pg_notify('` + channel + `', '')`)
	}
	_, err := e.tx.Exec("commit")
	if err == nil {
		return nil
	}
	again := isConflict(err)
	if back := e.Rollback(); again && back == nil {
		return fmt.Errorf("%w: %w", group.ErrAgain, err)
	}
	if !refused(err) {
		err = fmt.Errorf("%w: %w", as.ErrUnavailable, err)
	}
	return err
}

// Rollback takes the transaction back. A connection on which even that fails is
// given up, and the transaction with it.
func (e *engine) Rollback() error {
	if !e.tx.sent {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := e.raw.Exec(ctx, "rollback"); err != nil {
		e.close()
	}
	return nil
}

// Retryable implements group.Engine. A connection that was lost before the commit
// took its transaction along, so that runs again, too.
func (e *engine) Retryable(err error) bool {
	return isConflict(err) || !refused(err) && e.raw != nil && e.raw.IsClosed()
}

func (e *engine) close() {
	if e.raw != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = e.raw.Close(ctx) // there is nothing left to lose on it
	}
	e.raw = nil
}
