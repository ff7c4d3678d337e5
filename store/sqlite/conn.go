package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"regexp"
	"strconv"

	"github.com/licet/licet/store/internal/rows"
	"modernc.org/sqlite"
)

// The settings of every connection, and of each kind. Checkpoints are ours to
// make: see checkpointAll. They rather give up than keep the committer waiting.
const (
	always     = "&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-16000)&_pragma=temp_store(memory)"
	forWriting = "?_pragma=busy_timeout(10000)" + always
	forReading = "?_pragma=busy_timeout(10000)" + always + "&_pragma=query_only(1)"
	forMoving  = "?_pragma=busy_timeout(50)" + always
)

// connector opens connections to a database with settings of one kind.
type connector struct{ dsn string }

func connectTo(path, settings string) connector {
	return connector{"file:" + (&url.URL{Path: path}).EscapedPath() + settings}
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return &sqlite.Driver{} }

// conn is one connection with its prepared statements. It is for one goroutine
// at a time. It speaks to the driver itself: a pool, and the locks and
// conversions that come with it, would cost as much as the statements.
type conn struct {
	raw      driver.Conn
	prepared map[string]statement
}

// statement is what the driver prepares.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func newConn(ctx context.Context, c connector) (*conn, error) {
	raw, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, prepared: map[string]statement{}}, nil
}

// statement prepares a query once. SQLite takes $1 for a name, and the driver
// would look up every name at every execution; where the placeholders stand in
// their order they need none.
func (c *conn) statement(query string) (statement, error) {
	if s, ok := c.prepared[query]; ok {
		return s, nil
	}
	raw, err := c.raw.Prepare(nameless(query))
	if err != nil {
		return nil, err
	}
	s, ok := raw.(statement)
	if !ok {
		return nil, errors.Join(errors.New("sqlite: the driver's statements have changed"), raw.Close())
	}
	c.prepared[query] = s
	return s, nil
}

var placeholder = regexp.MustCompile(`\$[0-9]+`)

// nameless replaces $1, $2, … by ? if each stands there once and in order.
func nameless(query string) string {
	for i, p := range placeholder.FindAllString(query, -1) {
		if p != "$"+strconv.Itoa(i+1) {
			return query
		}
	}
	return placeholder.ReplaceAllString(query, "?")
}

// values are the arguments as the driver takes them.
func values(args []any) ([]driver.NamedValue, error) {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, err
		}
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out, nil
}

// Exec implements rows.DB. A statement is not cut short by anybody's context: it
// is short, and one that is interrupted leaves its connection in doubt.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	s, err := c.statement(query)
	if err != nil {
		return 0, err
	}
	in, err := values(args)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), in)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query implements rows.DB.
func (c *conn) Query(query string, args ...any) (rows.Found, error) {
	s, err := c.statement(query)
	if err != nil {
		return nil, err
	}
	in, err := values(args)
	if err != nil {
		return nil, err
	}
	raw, err := s.QueryContext(context.Background(), in)
	if err != nil {
		return nil, err
	}
	return &found{raw: raw, row: make([]driver.Value, len(raw.Columns()))}, nil
}

// found are the rows of a query.
type found struct {
	raw driver.Rows
	row []driver.Value
	err error
}

func (f *found) Next() bool {
	err := f.raw.Next(f.row)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return err == nil
}

func (f *found) Err() error   { return f.err }
func (f *found) Close() error { return f.raw.Close() }

func (f *found) Scan(places ...any) error {
	if len(places) != len(f.row) {
		return fmt.Errorf("sqlite: %d columns for %d places", len(f.row), len(places))
	}
	for i, place := range places {
		if err := assign(place, f.row[i]); err != nil {
			return fmt.Errorf("sqlite: column %d: %w", i+1, err)
		}
	}
	return nil
}

// assign puts a value of the database into a place of a record.
func assign(place any, v driver.Value) error {
	switch p := place.(type) {
	case interface{ Scan(any) error }:
		return p.Scan(v)
	case *bool:
		switch v := v.(type) {
		case bool:
			*p = v
			return nil
		case int64: // of an expression, which has no declared type
			*p = v != 0
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*p = n
			return nil
		}
	default:
		to := reflect.ValueOf(place).Elem()
		switch v := v.(type) {
		case string:
			if to.Kind() == reflect.String {
				to.SetString(v)
				return nil
			}
		case []byte:
			if to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8 {
				to.SetBytes(v)
				return nil
			}
		case nil:
			if to.Kind() == reflect.Slice {
				to.SetZero()
				return nil
			}
		}
	}
	return fmt.Errorf("a %T cannot be read into a %T", v, place)
}

// run executes a statement that begins or ends something.
func (c *conn) run(query string) error {
	_, err := c.Exec(query)
	return err
}

// end gives up a reading transaction. There is nothing to lose in one.
func (c *conn) end() { _ = c.run("rollback") }

func (c *conn) close() error {
	var err error
	for _, s := range c.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.raw.Close())
}
