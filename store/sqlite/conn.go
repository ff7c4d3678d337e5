package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"

	"modernc.org/sqlite"
)

// The settings of every connection, and of each kind. Checkpoints are ours to
// make: see checkpointAll. They rather give up than keep the committer waiting.
const (
	always     = "&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-16000)"
	forWriting = "?_pragma=busy_timeout(10000)" + always
	forReading = "?_pragma=busy_timeout(10000)" + always + "&_pragma=query_only(1)"
	forMoving  = "?_pragma=busy_timeout(50)" + always
)

// openDB opens a database with settings of one kind. Its connections are kept.
func openDB(path, settings string) *sql.DB {
	db := sql.OpenDB(connector{driver: &sqlite.Driver{}, dsn: "file:" + (&url.URL{Path: path}).EscapedPath() + settings})
	db.SetMaxIdleConns(readerCount())
	return db
}

// connector opens connections with one data source name.
type connector struct {
	driver *sqlite.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// conn is one connection with its prepared statements. It is for one goroutine
// at a time.
type conn struct {
	raw      *sql.Conn
	prepared map[string]*sql.Stmt
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, prepared: map[string]*sql.Stmt{}}, nil
}

// statement prepares a query once. SQLite takes $1 for a name, numbered by where
// it first stands; the driver binds it by its own number all the same.
func (c *conn) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.prepared[query]; ok {
		return s, nil
	}
	s, err := c.raw.PrepareContext(ctx, query)
	if err == nil {
		c.prepared[query] = s
	}
	return s, err
}

// ExecContext implements rows.DB.
func (c *conn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements rows.DB.
func (c *conn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// run executes a statement that begins or ends something.
func (c *conn) run(ctx context.Context, query string) error {
	_, err := c.ExecContext(ctx, query)
	return err
}

// end gives up a reading transaction. There is nothing to lose in one.
func (c *conn) end(ctx context.Context) { _ = c.run(ctx, "rollback") }

func (c *conn) close() error {
	var err error
	for _, s := range c.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.raw.Close())
}
