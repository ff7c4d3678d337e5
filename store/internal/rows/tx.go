package rows

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/licet/licet/as"
)

// DB is one transaction of a database.
type DB interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Tx is a transaction in the verbs of as.Tx. It is good for as long as its
// transaction, and for one goroutine.
type Tx struct {
	ctx context.Context
	db  DB
}

var _ as.Tx = (*Tx)(nil)

// New wraps a transaction.
func New(ctx context.Context, db DB) *Tx { return &Tx{ctx: ctx, db: db} }

// all reads every row. into returns the places for a row's columns and a
// function that makes the record once they are filled.
func all[T any](t *Tx, into func() ([]any, func() (T, error)), query string, args ...any) ([]T, error) {
	found, err := t.db.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var out []T
	for found.Next() {
		places, make := into()
		if err := found.Scan(places...); err != nil {
			return nil, err
		}
		record, err := make()
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	return out, found.Err()
}

// one reads one row; none is as.ErrNotFound.
func one[T any](t *Tx, into func() ([]any, func() (T, error)), query string, args ...any) (T, error) {
	var none T
	list, err := all(t, into, query, args...)
	switch {
	case err != nil:
		return none, err
	case len(list) == 0:
		return none, as.ErrNotFound
	}
	return list[0], nil
}

// insert runs an insertion that does nothing when the key is there already.
func (t *Tx) insert(query string, args ...any) error {
	return t.exec(as.ErrExists, query+" on conflict do nothing", args...)
}

// change runs an update or a deletion of what has to be there.
func (t *Tx) change(query string, args ...any) error {
	return t.exec(as.ErrNotFound, query, args...)
}

// exec runs a statement; otherwise is the error when it changes nothing.
func (t *Tx) exec(otherwise error, query string, args ...any) error {
	result, err := t.db.ExecContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = otherwise
	}
	return err
}

// ms writes a time, instant reads it.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant reads a time where a row has one.
type instant struct{ to *time.Time }

func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errors.New("rows: a time is not a number")
	}
	*i.to = time.Time{}
	if n != 0 {
		*i.to = time.UnixMilli(n).UTC()
	}
	return nil
}

// text writes anything as JSON text, document reads it. nil and empty lists are
// different texts, so that they are different again when they are read.
func text(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}

type document struct{ to any }

func (d document) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), d.to)
	case []byte:
		return json.Unmarshal(v, d.to)
	}
	return errors.New("rows: a document is not a text")
}

// texts writes several values as JSON texts.
func texts(values ...any) ([]string, error) {
	out := make([]string, len(values))
	for i, v := range values {
		var err error
		if out[i], err = text(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}
