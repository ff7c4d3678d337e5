package postgres

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/store/internal/rows"
)

// insertions are rows of one table that have been put off. They go there by one
// statement, as one array: a grant takes two rows, and a batch has as many grants as
// there are callers.
type insertions struct {
	into  *pgconn.StatementDescription // of as many rows as there are
	args  []uint32                     // the types of the arguments for one row
	rowOf uint32                       // the type of a row of the table
	table []column                     // in the order of the table
	array []byte                       // of rows in its binary form
	rows  uint32
}

// column is one of a table.
type column struct {
	is  uint32 // its type
	arg int    // which argument is its value; -1: none, it gets its default
}

// mostRows is how many rows one statement inserts.
const mostRows = 1000

// The head of an array of one dimension: dimensions, whether there are nulls, the
// type of the elements, their number, the index of the first.
const arrayHead = 5 * 4

// Defer implements rows.Deferrer. An insertion that meets its key ends the
// transaction, and then everything runs again without deferring. One that adds to
// what is there is a statement of its own: one statement cannot add to the same row
// twice.
func (c *conn) Defer(query string, args ...any) bool {
	if !c.defers || c.failure != nil {
		return false
	}
	if !strings.HasSuffix(query, rows.UnlessThere) {
		return c.queue(query, args...) == nil
	}
	i, err := c.insertionsBy(query)
	if err != nil || c.encode(i.args, args) != nil {
		return false // and whoever does not put it off hears why
	}
	i.append(c.values)
	if i.rows++; i.rows == mostRows {
		return c.insertWaiting() == nil
	}
	return true
}

// Settle implements rows.Deferrer.
func (c *conn) Settle() error { return c.settle() }

// append appends a row: its length, how many columns it has, and of each the type,
// the length, which is -1 for null, and the value.
func (i *insertions) append(values [][]byte) {
	begin := len(i.array)
	i.array = append(i.array, 0, 0, 0, 0)
	i.array = binary.BigEndian.AppendUint32(i.array, uint32(len(i.table)))
	for _, c := range i.table {
		i.array = binary.BigEndian.AppendUint32(i.array, c.is)
		if c.arg < 0 || values[c.arg] == nil {
			i.array = binary.BigEndian.AppendUint32(i.array, ^uint32(0))
			continue
		}
		i.array = binary.BigEndian.AppendUint32(i.array, uint32(len(values[c.arg])))
		i.array = append(i.array, values[c.arg]...)
	}
	binary.BigEndian.PutUint32(i.array[begin:], uint32(len(i.array)-begin-4))
}

// insertionsBy finds where the rows of a query wait.
func (c *conn) insertionsBy(query string) (*insertions, error) {
	i := c.batched[query]
	if i == nil {
		one, err := c.statement(query)
		if err != nil {
			return nil, err
		}
		parts := rows.ReadInsertion(query)
		many, err := c.statement(parts.Many())
		if err != nil {
			return nil, err
		}
		i = &insertions{into: many, args: one.ParamOIDs}
		if err := c.describeTable(parts, i); err != nil {
			return nil, err
		}
		c.batched[query] = i
	}
	if i.rows == 0 {
		i.array = append(i.array[:0], make([]byte, arrayHead)...)
		c.waiting = append(c.waiting, i)
	}
	return i, nil
}

// describeTable finds out what a row of the table is.
func (c *conn) describeTable(parts rows.Insertion, i *insertions) error {
	found, err := c.Query(`select t.reltype::bigint, a.attname::text, a.atttypid::bigint from pg_class t join pg_attribute a on a.attrelid = t.oid
		where t.oid = $1::text::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`, parts.Table)
	if err != nil {
		return err
	}
	for found.Next() {
		var row, is int64
		var name string
		if err := found.Scan(&row, &name, &is); err != nil {
			return errors.Join(err, found.Close())
		}
		i.rowOf = uint32(row)
		i.table = append(i.table, column{uint32(is), slices.Index(parts.Columns[:len(i.args)], name)})
	}
	return found.Close()
}

// insertWaiting queues what has been put off.
func (c *conn) insertWaiting() error {
	defer c.forgetWaiting()
	if c.failure != nil {
		return c.failure
	}
	for _, i := range c.waiting {
		if i.rows == 0 {
			continue // it could not be written
		}
		head := append(i.array[:0], 0, 0, 0, 1, 0, 0, 0, 0)
		head = binary.BigEndian.AppendUint32(head, i.rowOf)
		head = binary.BigEndian.AppendUint32(head, i.rows)
		binary.BigEndian.AppendUint32(head, 1)
		c.put(i.into, [][]byte{i.array})
		i.rows = 0
	}
	return nil
}

// forgetWaiting takes it that nothing is put off.
func (c *conn) forgetWaiting() {
	for _, i := range c.waiting {
		i.rows = 0
	}
	c.waiting = c.waiting[:0]
}
