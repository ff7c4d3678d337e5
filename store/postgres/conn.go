package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/store/internal/rows"
)

// patience is how long the database may take for one exchange. A transaction
// that takes longer holds up everybody.
const patience = 10 * time.Second

// conn is a connection in one transaction, as rows.DB. What is queued travels with
// the next statement that is waited for: one exchange for all.
type conn struct {
	raw    *pgx.Conn
	defers bool // insertions may be queued
	queued *pgx.Batch
	sent   bool // anything of the transaction
}

func newConn(raw *pgx.Conn, begin string, defers bool) *conn {
	c := &conn{raw: raw, defers: defers, queued: new(pgx.Batch)}
	c.queued.Queue(begin)
	return c
}

// queue adds a statement without an answer.
func (c *conn) queue(query string, args ...any) { c.queued.Queue(query, args...) }

// Defer implements rows.Deferrer. An insertion that meets its key ends the
// transaction, and then everything runs again without deferring.
func (c *conn) Defer(query string, args ...any) bool {
	if c.defers {
		c.queue(strings.TrimSuffix(query, rows.UnlessThere), args...)
	}
	return c.defers
}

// exchange sends what is queued and, last, a statement that is waited for.
func (c *conn) exchange(query string, args ...any) (*answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c.sent = true
	if c.queued.Len() == 0 {
		found, err := c.raw.Query(ctx, query, args...)
		if err != nil {
			cancel()
			return nil, err
		}
		return &answer{Rows: found, cancel: cancel}, nil
	}
	before := c.queued.Len()
	c.queue(query, args...)
	results := c.raw.SendBatch(ctx, c.queued)
	c.queued = new(pgx.Batch)
	a := &answer{results: results, cancel: cancel}
	for range before {
		if _, err := results.Exec(); err != nil {
			return nil, errors.Join(err, a.end())
		}
	}
	var err error
	if a.Rows, err = results.Query(); err != nil {
		return nil, errors.Join(err, a.end())
	}
	return a, nil
}

// Exec implements rows.DB.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	a, err := c.exchange(query, args...)
	if err != nil {
		return 0, err
	}
	a.Rows.Close()
	tag, err := a.Rows.CommandTag(), a.Rows.Err()
	if ended := a.end(); err == nil {
		err = ended
	}
	return tag.RowsAffected(), err
}

// Query implements rows.DB.
func (c *conn) Query(query string, args ...any) (rows.Found, error) {
	a, err := c.exchange(query, args...)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// answer is what came back for the statement that was waited for.
type answer struct {
	pgx.Rows
	results pgx.BatchResults // nil: it travelled alone
	cancel  context.CancelFunc
}

func (a *answer) Scan(places ...any) error { return a.Rows.Scan(places...) }

func (a *answer) Close() error {
	a.Rows.Close()
	return errors.Join(a.Rows.Err(), a.end())
}

func (a *answer) end() error {
	defer a.cancel()
	if a.results == nil {
		return nil
	}
	return a.results.Close()
}

// The states in which a transaction has to run again: it could not be serialized,
// it was in a deadlock, or a key that was looked for and not found is there.
var conflicts = map[string]bool{"40001": true, "40P01": true, "23505": true}

func isConflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && conflicts[e.Code]
}

// refused says whether the database itself said no, so that it is known that
// nothing happened.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e)
}
