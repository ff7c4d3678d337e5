package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/group"
	"github.com/licet/licet/store/internal/rows"
)

// Store is an open database. It may be used concurrently, and by several
// processes.
type Store struct {
	*group.Committer
	rows.Watchers

	writer  *conn
	readers *readers
	polled  atomic.Int64 // when the last poll began, in nanoseconds since opened
	opened  time.Time
	clock   clock

	stop     context.CancelFunc // the follower's
	running  sync.WaitGroup
	closed   sync.Once
	closeErr error
}

var _ as.Store = (*Store)(nil)

// Stats tells how many Updates took effect, and in how many commits.
type Stats = group.Stats

// Open connects to the database of a URL (postgres://user:password@host/name, or
// what else libpq understands) and brings its schema up to date. A database that a
// newer version of this program has written is refused.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err) // without the password: pgx leaves it out
	}
	if _, said := config.RuntimeParams["statement_timeout"]; !said {
		config.RuntimeParams["statement_timeout"] = "10s"
	}
	// A statement is planned once, perhaps while its table is almost empty, and then
	// reading all of it is the cheapest; a minute later it is not. So reading all of
	// it is never cheap, nor are the joins that begin with it, and as what cannot be
	// avoided then looks dear, nothing is compiled for it either.
	for name, value := range map[string]string{
		"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off", "jit": "off", "plan_cache_mode": "force_generic_plan",
		"application_name": "licet", "synchronous_commit": "on", "client_encoding": "UTF8", "timezone": "UTC",
		"idle_in_transaction_session_timeout": "5s", // a node that has stopped holds up the others no longer
	} {
		config.RuntimeParams[name] = value
	}
	if err := migrate(ctx, config); err != nil {
		return nil, err
	}
	s := &Store{writer: &conn{config: &config.Config}, readers: newReaders(&config.Config), opened: time.Now(), clock: newClock()}
	s.Committer = group.Start(engine{s.writer}, s.Tell)
	following, stop := context.WithCancel(context.Background())
	s.stop = stop
	first := make(chan struct{})
	f := &follower{config: config, tell: s.Tell, clock: &s.clock, seen: s.seen(first)}
	s.running.Go(func() { f.follow(following) })
	select {
	case <-first:
		if err := rows.Readdress(ctx, s); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		return s, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("postgres: %w", context.Cause(ctx))
	case <-time.After(patience):
		err := fmt.Errorf("postgres: the database does not answer within %v", patience)
		_ = s.Close()
		return nil, err
	}
}

// seen returns what notes the time of each poll, and closes first at the first.
func (s *Store) seen(first chan struct{}) func(time.Time) {
	var once sync.Once
	return func(began time.Time) {
		s.polled.Store(int64(began.Sub(s.opened)))
		once.Do(func() { close(first) })
	}
}

// Current implements as.Store.
func (s *Store) Current() bool {
	return time.Since(s.opened)-time.Duration(s.polled.Load()) < stale
}

// Now implements as.Store: it is the database's clock, as the polls have seen it.
func (s *Store) Now() time.Time { return s.clock.now() }

// View implements as.Store.
func (s *Store) View(ctx context.Context, f func(as.Reader) error) error {
	select {
	case <-s.Closing():
		return group.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.put(c)
	if err := c.begin("begin isolation level repeatable read read only"); err != nil {
		return err
	}
	tx := rows.New(c)
	defer c.leave("rollback") // there is nothing to lose
	defer tx.End()
	return f(tx)
}

// Close waits for what is running, refuses what is not, and disconnects.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.Committer.Close()
		s.stop()
		s.running.Wait()
		s.writer.close()
		s.readers.close()
	})
	return s.closeErr
}
