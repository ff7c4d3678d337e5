package rows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/as"
)

// DB is one transaction of a database. Arguments are strings, int64s, booleans,
// byte slices, types made of these, and driver.Valuers; places are pointers to
// the same, and Numbers and Texts.
type DB interface {
	// Exec returns how many rows a statement changed.
	Exec(query string, args ...any) (int64, error)
	Query(query string, args ...any) (Found, error)
}

// Number is a place for a number.
type Number interface{ SetNumber(int64) error }

// Text is a place for a text.
type Text interface{ SetText(string) error }

// Deferrer is a DB that can put off an insertion that hardly ever meets its key,
// until the next statement that has an answer, or the commit. Defer says whether
// it does.
type Deferrer interface {
	Defer(query string, args ...any) bool
	// Settle carries out what has been put off.
	Settle() error
}

// Found are the rows of a query, as of database/sql.
type Found interface {
	Next() bool
	Scan(places ...any) error
	Err() error
	Close() error
}

// Tx is a transaction in the verbs of as.Tx, for one goroutine and until End.
//
// A statement that the database could not carry out spoils the transaction:
// the database may have rolled it back by itself, and whatever came after would
// be kept although what came before is lost. So nothing can come after.
type Tx struct {
	db      DB
	heads   *Heads // nil: nothing is remembered
	wrote   bool
	spoiled error
	changes []as.Change
}

var _ as.Tx = (*Tx)(nil)

// New wraps a transaction.
func New(db DB) *Tx { return &Tx{db: db} }

// NewRemembering wraps a transaction of somebody who remembers heads.
func NewRemembering(db DB, h *Heads) *Tx { return &Tx{db: db, heads: h} }

// Wrote says whether there is anything to take back. Of a transaction that is
// spoiled nobody knows.
func (t *Tx) Wrote() bool { return t.wrote }

// Err returns what spoiled the transaction, if anything did.
func (t *Tx) Err() error { return t.spoiled }

// End makes the transaction useless to whoever still has it.
func (t *Tx) End() { t.spoiled = errEnded }

var errEnded = errors.New("rows: the transaction is over")

// Changes returns what the transaction changed, for as.Store.Watch.
func (t *Tx) Changes() []as.Change { return t.changes }

// changed notes what a statement has changed, if it went well.
func (t *Tx) changed(err error, what ...as.Change) error {
	if err == nil {
		t.changes = append(t.changes, what...)
	}
	return err
}

func (t *Tx) spoil(err error) error {
	t.wrote, t.spoiled = true, fmt.Errorf("rows: %w", err)
	return t.spoiled
}

// all reads every row. into returns the places for a row's columns and the
// record that they are in once they are filled; each row is read into the same.
func all[T any](t *Tx, into func() ([]any, *T), query string, args ...any) (out []T, err error) {
	if err := more(t, &out, into, query, args...); err != nil {
		return nil, err
	}
	return out, nil
}

// more is all behind what is there.
func more[T any](t *Tx, out *[]T, into func() ([]any, *T), query string, args ...any) error {
	if t.spoiled != nil {
		return t.spoiled
	}
	found, err := t.db.Query(query, args...)
	if err != nil {
		return t.spoil(err)
	}
	list := *out
	places, record := into()
	blank := *record
	for found.Next() {
		*record = blank
		if err := found.Scan(places...); err != nil {
			return t.spoil(errors.Join(err, found.Close()))
		}
		if len(list) == cap(list) {
			list = slices.Grow(list, max(1, len(list))) // large records are not moved often
		}
		list = append(list, *record)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return t.spoil(err)
	}
	*out = list
	return nil
}

// single is into for rows of one column.
func single[T any]() ([]any, *T) {
	v := new(T)
	return []any{v}, v
}

// one reads one row; none is as.ErrNotFound.
func one[T any](t *Tx, into func() ([]any, *T), query string, args ...any) (T, error) {
	list, err := all(t, into, query, args...)
	if err == nil && len(list) == 0 {
		err = as.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}

// spend runs the statement that spends a record and returns it.
func spend[T any](t *Tx, into func() ([]any, *T), query string, digest as.Digest, now time.Time) (T, error) {
	t.wrote = true
	return one(t, into, query, []byte(digest), ms(now))
}

// insert runs an insertion of what must not be there yet.
func (t *Tx) insert(query string, args ...any) error {
	return t.exec(as.ErrExists, query, args...)
}

// insertRandom runs an insertion whose key hardly anybody else can have.
func (t *Tx) insertRandom(query string, args ...any) error {
	if d, ok := t.db.(Deferrer); ok && t.spoiled == nil && d.Defer(query, args...) {
		t.wrote = true
		return nil
	}
	return t.insert(query, args...)
}

// Settle carries out what has been put off, and spoils the transaction if that
// fails: what it has been told until then was not true.
func (t *Tx) Settle() {
	if d, ok := t.db.(Deferrer); ok && t.spoiled == nil {
		if err := d.Settle(); err != nil {
			_ = t.spoil(err)
		}
	}
}

// change runs an update or a deletion of what has to be there.
func (t *Tx) change(query string, args ...any) error {
	return t.exec(as.ErrNotFound, query, args...)
}

// exec runs a statement; otherwise is the error when it changes nothing.
func (t *Tx) exec(otherwise error, query string, args ...any) error {
	n, err := t.count(query, args...)
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}

// count runs a statement and returns how many rows it changed.
func (t *Tx) count(query string, args ...any) (int, error) {
	if t.spoiled != nil {
		return 0, t.spoiled
	}
	t.wrote = true
	n, err := t.db.Exec(query, args...)
	if err != nil {
		return 0, t.spoil(err)
	}
	return int(n), nil
}
