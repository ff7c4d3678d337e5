package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/internal/group"
	"github.com/licet/licet/store/internal/rows"
)

// Store is an open database. It may be used concurrently.
type Store struct {
	*group.Committer
	rows.Watchers

	lock    *os.File
	moving  *sql.DB // for checkpoints
	writer  *conn
	readers chan *conn

	closed   sync.Once
	running  sync.WaitGroup
	closeErr error
}

var _ as.Store = (*Store)(nil)

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
	s := &Store{lock: lock}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(err, s.release())
	}
	s.Committer = group.Start(engine{s.writer}, s.Tell)
	s.running.Go(s.checkpointAll)
	if err := rows.Readdress(ctx, s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// readerCount is how many snapshots can be read at the same time.
func readerCount() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

func (s *Store) open(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE, 0o600) // before SQLite makes it with other permissions
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	s.moving = sql.OpenDB(connectTo(path, forMoving))
	if s.writer, err = newConn(path, forWriting); err != nil {
		return err
	}
	s.readers = make(chan *conn, readerCount())
	for range readerCount() {
		c, err := newConn(path, forReading)
		if err != nil {
			return err
		}
		s.readers <- c
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
	case <-s.Closing():
		return group.ErrClosed
	}
	defer func() { s.readers <- c }()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.run("begin"); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	tx := rows.New(c)
	defer c.end()
	defer tx.End()
	return f(tx)
}

// Current implements as.Store: nobody else has the file open, so there is
// nothing that has not been told.
func (s *Store) Current() bool { return true }

// Now implements as.Store: nobody else has the file open, so it is this machine's
// clock.
func (s *Store) Now() time.Time { return time.Now() }

// Close waits for what is running, refuses what is not, moves the log into the
// file and closes it.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.Committer.Close()
		s.running.Wait()
		for range readerCount() {
			s.closeErr = errors.Join(s.closeErr, (<-s.readers).close())
		}
		s.closeErr = errors.Join(s.closeErr, s.release())
	})
	return s.closeErr
}

// release closes what is open and gives up the lock.
func (s *Store) release() error {
	var err error
	for len(s.readers) > 0 {
		err = errors.Join(err, (<-s.readers).close())
	}
	if s.writer != nil {
		err = errors.Join(err, s.writer.close())
	}
	if s.moving != nil {
		err = errors.Join(err, s.moving.Close())
	}
	return errors.Join(err, s.lock.Close())
}
