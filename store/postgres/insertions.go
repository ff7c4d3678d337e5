package postgres

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/store/internal/rows"
)

// insertions are rows of one table that have been put off. They go there by one
// statement: a grant takes five rows, and a batch has as many grants as there are
// callers.
type insertions struct {
	into    *pgconn.StatementDescription // of as many rows as there are
	types   []uint32                     // of the columns
	columns [][]byte                     // as arrays in their binary form
	nulls   []bool                       // which columns have some
	rows    uint32
}

// mostRows is how many rows one statement inserts.
const mostRows = 1000

// The head of an array of one dimension: dimensions, whether there are nulls, the
// type of the elements, their number, the index of the first.
const arrayHead = 5 * 4

// arrayOf are the names of the array types.
var arrayOf = map[uint32]string{boolType: "boolean[]", byteaType: "bytea[]", int8Type: "bigint[]", textType: "text[]"}

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
	if err != nil || c.encode(i.types, args) != nil {
		return false // and whoever does not put it off hears why
	}
	for n, value := range c.values {
		if value == nil {
			i.nulls[n] = true
			i.columns[n] = binary.BigEndian.AppendUint32(i.columns[n], ^uint32(0))
			continue
		}
		i.columns[n] = binary.BigEndian.AppendUint32(i.columns[n], uint32(len(value)))
		i.columns[n] = append(i.columns[n], value...)
	}
	if i.rows++; i.rows == mostRows {
		return c.insertWaiting() == nil
	}
	return true
}

// Settle implements rows.Deferrer.
func (c *conn) Settle() error { return c.settle() }

// insertionsBy finds where the rows of a query wait.
func (c *conn) insertionsBy(query string) (*insertions, error) {
	i := c.batched[query]
	if i == nil {
		one, err := c.statement(query)
		if err != nil {
			return nil, err
		}
		arrays := make([]string, len(one.ParamOIDs))
		for n, oid := range one.ParamOIDs {
			if arrays[n] = arrayOf[oid]; arrays[n] == "" {
				return nil, fmt.Errorf("postgres: no array of type %d", oid)
			}
		}
		many, err := c.statement(rows.InsertMany(query, arrays))
		if err != nil {
			return nil, err
		}
		i = &insertions{into: many, types: one.ParamOIDs, columns: make([][]byte, len(arrays)), nulls: make([]bool, len(arrays))}
		c.batched[query] = i
	}
	if i.rows == 0 {
		for n, column := range i.columns {
			i.columns[n] = append(column[:0], make([]byte, arrayHead)...)
		}
		clear(i.nulls)
		c.waiting = append(c.waiting, i)
	}
	return i, nil
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
		for n, column := range i.columns {
			head := append(column[:0], 0, 0, 0, 1, 0, 0, 0, 0)
			if i.nulls[n] {
				head[7] = 1
			}
			head = binary.BigEndian.AppendUint32(head, i.types[n])
			head = binary.BigEndian.AppendUint32(head, i.rows)
			binary.BigEndian.AppendUint32(head, 1)
		}
		c.put(i.into, i.columns)
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
