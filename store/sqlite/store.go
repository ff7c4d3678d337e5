package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// Store is an open database. It may be used concurrently.
type Store struct {
	db      *sql.DB
	lock    *os.File
	writer  *conn
	readers chan *conn
	queue   chan *job
	stats   struct{ updates, commits atomic.Int64 }

	closing  chan struct{}
	closed   sync.Once
	running  sync.WaitGroup
	closeErr error
}

var _ as.Store = (*Store)(nil)

// Stats tells how many Updates took effect and in how many commits.
type Stats struct{ Updates, Commits int64 }

// Stats returns the figures since Open.
func (s *Store) Stats() Stats {
	return Stats{Updates: s.stats.updates.Load(), Commits: s.stats.commits.Load()}
}

// readers is how many snapshots can be read at the same time.
func readerCount() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// Open opens the database file at path, making it and its directory when they
// are not there, and brings its schema up to date. A file that another process
// has open, or that a newer version of this program has written, is refused.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock, queue: make(chan *job), closing: make(chan struct{})}
	if err := s.open(ctx, path); err != nil {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		return nil, errors.Join(err, lock.Close())
	}
	s.running.Add(2)
	go s.commitAll()
	go s.checkpointAll()
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE, 0o600) // before SQLite makes it with other permissions
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	s.db = sql.OpenDB(connector{driver: &sqlite.Driver{}, dsn: dsn(path)})
	// Connections are kept for good: one that writes, some that read.
	s.db.SetMaxIdleConns(readerCount() + 2)
	if err := migrate(ctx, s.db); err != nil {
		return err
	}
	if s.writer, err = newConn(ctx, s.db); err != nil {
		return err
	}
	s.readers = make(chan *conn, readerCount())
	for range readerCount() {
		c, err := newConn(ctx, s.db)
		if err != nil {
			return err
		}
		s.readers <- c
	}
	return nil
}

// dsn has the settings of every connection. Checkpoints are ours to make: see
// checkpointAll.
func dsn(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
		"&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-16000)"
}

// migrate brings the schema up to date.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(rows.Migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: reading the version of the schema: %w", err)
	}
	if version > rows.Schema {
		return fmt.Errorf("sqlite: the database has schema %d; this program runs on %d", version, rows.Schema)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// View implements as.Store.
func (s *Store) View(ctx context.Context, f func(as.Reader) error) error {
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return errClosed
	}
	defer func() { s.readers <- c }()
	// The reading itself is not cut short by ctx: it is short, and a statement
	// that is interrupted leaves its connection in doubt.
	inside := context.WithoutCancel(ctx)
	if err := c.run(inside, "begin"); err != nil {
		return err
	}
	defer c.end(inside)
	return f(rows.New(inside, c))
}

var errClosed = errors.New("sqlite: the store is closed")

// Close ends all work in progress, moves the log into the file and closes it.
func (s *Store) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.running.Wait()
		for range readerCount() {
			s.closeErr = errors.Join(s.closeErr, (<-s.readers).close())
		}
		s.closeErr = errors.Join(s.closeErr, s.writer.close(), s.db.Close(), s.lock.Close())
	})
	return s.closeErr
}

// checkpointEvery is how often the log is moved into the file while there is
// something in it.
const checkpointEvery = time.Second

// checkpointAll moves the log into the file from a connection of its own, so
// that no commit waits for it.
func (s *Store) checkpointAll() {
	defer s.running.Done()
	ctx := context.Background()
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	var done int64
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		if now := s.stats.commits.Load(); now != done {
			// A checkpoint that finds the file busy does what it can; the next does
			// the rest. Nothing is lost meanwhile, the log only grows.
			if _, err := s.db.ExecContext(ctx, "pragma wal_checkpoint(passive)"); err == nil {
				done = now
			}
		}
	}
}
