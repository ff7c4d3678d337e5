package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
)

const (
	// patience is how long the database may take for one exchange. A transaction
	// that takes longer holds up everybody.
	patience = 10 * time.Second
	// connectPatience is how long it may take to connect.
	connectPatience = 5 * time.Second
	// restful is how long a connection may have been idle without being tried out
	// first.
	restful = time.Second
)

// conn is a connection with its prepared statements, as rows.DB, for one goroutine
// at a time. It connects by itself, and again when the connection was lost.
//
// What is queued travels with the next statement that is waited for: one exchange
// for all, and insertions that are put off are queued as late as that. Nothing is
// cut short by anybody's context: statements are short, and one that is interrupted
// leaves its connection in doubt.
type conn struct {
	config   *pgconn.Config
	pg       *pgconn.PgConn
	pipeline *pgconn.Pipeline
	prepared map[string]*pgconn.StatementDescription
	used     time.Time

	defers  bool                   // insertions may be put off
	waiting []*insertions          // which have been
	batched map[string]*insertions // by the insertion of one row
	queued  int                    // statements that have not been answered
	unread  bool                   // they have been sent, and nobody has waited for the answers
	failure error                  // what spoiled the transaction; nothing more is done in it

	values [][]byte // the arguments of the statement that is being sent,
	bytes  []byte   // and what they are made of
}

// begin queues the beginning of a transaction on a connection that works.
func (c *conn) begin(query string) error {
	c.failure = nil
	c.forgetWaiting()
	if !c.lost() && c.unread && c.settle() != nil {
		c.close()
	}
	if !c.lost() {
		tired := time.Since(c.used) > restful
		err := c.queue(query)
		if err == nil && tired {
			err = c.settle()
		}
		if err == nil {
			return nil
		}
	}
	if err := c.connect(); err != nil {
		return err
	}
	return c.queue(query)
}

// connect gives up the connection there is and makes another.
func (c *conn) connect() error {
	c.close()
	ctx, cancel := context.WithTimeout(context.Background(), connectPatience)
	defer cancel()
	pg, err := pgconn.ConnectConfig(ctx, c.config)
	if err != nil {
		return fmt.Errorf("postgres: %w: %w", as.ErrUnavailable, err)
	}
	*c = conn{
		config: c.config, pg: pg, pipeline: pg.StartPipeline(context.Background()),
		prepared: map[string]*pgconn.StatementDescription{}, batched: map[string]*insertions{}, defers: c.defers, values: c.values, bytes: c.bytes,
	}
	return nil
}

// lost says whether there is no connection any more.
func (c *conn) lost() bool { return c.pg == nil || c.pg.IsClosed() }

// close disconnects.
func (c *conn) close() {
	if c.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.pg.Close(ctx) // there is nothing left to lose on it
	}
	c.pg = nil
}

// queue adds a statement that nobody waits for by itself, behind what was put off.
// An error of it is that of the next statement that is waited for.
func (c *conn) queue(query string, args ...any) error {
	if err := c.insertWaiting(); err != nil {
		return err
	}
	s, err := c.statement(query)
	if err != nil {
		return err
	}
	if err := c.encode(s.ParamOIDs, args); err != nil {
		c.failure = fmt.Errorf("postgres: %w", err) // nothing has been sent
		return c.failure
	}
	c.put(s, c.values)
	return nil
}

// put adds a statement to what is sent next.
func (c *conn) put(s *pgconn.StatementDescription, values [][]byte) {
	c.pipeline.SendQueryStatement(s, values, binaryForm, binaryForm)
	c.queued++
}

// binaryForm is how every argument and every column travels.
var binaryForm = []int16{1}

// statement prepares a query once.
func (c *conn) statement(query string) (*pgconn.StatementDescription, error) {
	if s, ok := c.prepared[query]; ok {
		return s, nil
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	name := "s" + strconv.Itoa(len(c.prepared))
	c.pipeline.SendPrepare(name, query, nil)
	c.queued++
	if err := c.send(); err != nil {
		return nil, err
	}
	answer, err := c.next()
	if err != nil {
		return nil, err
	}
	s, ok := answer.(*pgconn.StatementDescription)
	if !ok {
		return nil, c.confused(answer)
	}
	s.Name = name
	c.prepared[query] = s
	return s, c.ready()
}

// send sends what is queued.
func (c *conn) send() error {
	c.used = time.Now()
	if err := c.wait(); err != nil {
		return err
	}
	if err := c.pipeline.Sync(); err != nil {
		return c.fail(err)
	}
	return nil
}

// wait bounds, from now on, how long the exchange may take.
func (c *conn) wait() error {
	if err := c.pg.Conn().SetDeadline(time.Now().Add(patience)); err != nil {
		return c.fail(err)
	}
	return nil
}

// settle sends what is queued, unless it was sent, and reads what came of it.
func (c *conn) settle() error {
	if err := c.insertWaiting(); err != nil || c.queued == 0 {
		return err
	}
	exchange := c.send
	if c.unread { // it was sent, perhaps long ago
		exchange = c.wait
	}
	if err := exchange(); err != nil {
		return err
	}
	for c.queued > 0 {
		if _, err := c.done(); err != nil {
			return err
		}
	}
	return c.ready()
}

// leave sends a last statement and does not wait for its answer. The next
// transaction reads it.
func (c *conn) leave(query string) {
	if c.queue(query) == nil && c.send() == nil {
		c.unread = true
	}
}

// next is the next answer.
func (c *conn) next() (any, error) {
	answer, err := c.pipeline.GetResults()
	if err != nil {
		return nil, c.fail(err)
	}
	c.queued--
	return answer, nil
}

// done reads the next answer, of a statement whose rows nobody wants.
func (c *conn) done() (pgconn.CommandTag, error) {
	answer, err := c.next()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	r, ok := answer.(*pgconn.ResultReader)
	if !ok {
		return pgconn.CommandTag{}, c.confused(answer)
	}
	tag, err := r.Close()
	if err != nil {
		return tag, c.fail(err)
	}
	return tag, nil
}

// ready reads that the server is ready for more.
func (c *conn) ready() error {
	answer, err := c.pipeline.GetResults()
	if err != nil {
		return c.fail(err)
	}
	if _, ok := answer.(*pgconn.PipelineSync); !ok {
		return c.confused(answer)
	}
	c.queued, c.unread = 0, false
	return nil
}

func (c *conn) confused(answer any) error {
	c.close()
	return c.fail(fmt.Errorf("an answer that was not asked for: %T", answer))
}

// fail notes what spoiled the transaction. When it was the database that said no,
// it has passed over everything else that was sent, and is ready again.
func (c *conn) fail(err error) error {
	c.failure = describe(err)
	if isOtherTable(err) {
		clear(c.batched)
	}
	for refused(err) {
		var answer any
		if answer, err = c.pipeline.GetResults(); err != nil {
			continue
		}
		if _, ok := answer.(*pgconn.PipelineSync); !ok {
			break
		}
		// A pipeline is not to be used after a failure: it does not forget the
		// statements that were passed over.
		if c.pipeline.Close() != nil {
			break
		}
		c.pipeline, c.queued, c.unread = c.pg.StartPipeline(context.Background()), 0, false
		return c.failure
	}
	c.close()
	return c.failure
}

// Exec implements rows.DB.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	tag, err := c.run(query, args...)
	return tag.RowsAffected(), err
}

// run executes a statement and waits for what came of it.
func (c *conn) run(query string, args ...any) (tag pgconn.CommandTag, err error) {
	if err := c.queue(query, args...); err != nil {
		return tag, err
	}
	if err := c.send(); err != nil {
		return tag, err
	}
	for c.queued > 0 {
		if tag, err = c.done(); err != nil {
			return tag, err
		}
	}
	return tag, c.ready()
}

// Query implements rows.DB.
func (c *conn) Query(query string, args ...any) (rows.Found, error) {
	if err := c.queue(query, args...); err != nil {
		return nil, err
	}
	if err := c.send(); err != nil {
		return nil, err
	}
	for c.queued > 1 {
		if _, err := c.done(); err != nil {
			return nil, err
		}
	}
	answer, err := c.next()
	if err != nil {
		return nil, err
	}
	r, ok := answer.(*pgconn.ResultReader)
	if !ok {
		return nil, c.confused(answer)
	}
	return found{c, r, make([]string, len(r.FieldDescriptions()))}, nil
}

// found are the rows of a query.
type found struct {
	c      *conn
	r      *pgconn.ResultReader
	before []string
}

func (f found) Next() bool { return f.r.NextRow() }

// Err has nothing to add: what went wrong is told by Close.
func (f found) Err() error { return nil }

func (f found) Close() error {
	if _, err := f.r.Close(); err != nil {
		return f.c.fail(err)
	}
	return f.c.ready()
}

func (f found) Scan(places ...any) error {
	columns, row := f.r.FieldDescriptions(), f.r.Values()
	if len(places) != len(row) {
		return fmt.Errorf("postgres: %d columns for %d places", len(row), len(places))
	}
	for i, place := range places {
		if err := assign(place, columns[i].DataTypeOID, row[i], &f.before[i]); err != nil {
			return fmt.Errorf("postgres: column %d: %w", i+1, err)
		}
	}
	return nil
}
