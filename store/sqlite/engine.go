package sqlite

import (
	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
)

// engine is the writing connection as a group.Engine. There is one writer, so
// nothing has to be serialized and nothing runs again for that.
type engine struct{ *conn }

func (e engine) Begin(bool) (bool, error) { return false, e.run("begin immediate") }
func (e engine) DB() rows.DB              { return e.conn }
func (e engine) Savepoint() error         { return e.run("savepoint one") }
func (e engine) RollbackTo() error        { return e.run("rollback to one") }
func (e engine) Release() error           { return e.run("release one") }
func (e engine) Rollback() error          { return e.run("rollback") }
func (e engine) Retryable(error) bool     { return false }

// Commit commits. There are no other nodes to tell of changes.
func (e engine) Commit([]as.Change) error {
	err := e.run("commit")
	if err != nil {
		// After a commit that failed the transaction may be over or not.
		_ = e.run("rollback")
	}
	return err
}
