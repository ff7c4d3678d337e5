package sqlite

import (
	"context"
	"time"
)

const (
	// checkpointEvery is how often the log is moved into the file while there is
	// something in it.
	checkpointEvery = time.Second
	// longLog is the length, in pages, at which the log also begins anew.
	longLog = 16 << 20 / 4096
)

// checkpointAll moves the log into the file from a connection of its own, so
// that no commit waits for it. A checkpoint that fails does no harm: nothing is
// lost, the log only grows, and the next one moves the rest.
func (s *Store) checkpointAll() {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	var done int64
	for {
		select {
		case <-s.Closing():
			return
		case <-tick.C:
		}
		if now := s.Stats().Commits; now != done && s.checkpoint(context.Background(), longLog) == nil {
			done = now
		}
	}
}

// checkpoint moves what it can without getting in anybody's way. Under steady
// writing a log never comes to its end by that, so one that is as long as
// limit, in pages, is then moved to its end; commits wait while the little that is
// left is moved. The next one begins at the front of the file, which keeps its
// length: to write over what is there costs the file system a third less than to
// make it longer.
func (s *Store) checkpoint(ctx context.Context, limit int) error {
	var busy, pages, moved int
	if err := s.moving.QueryRowContext(ctx, "pragma wal_checkpoint(passive)").Scan(&busy, &pages, &moved); err != nil || pages < limit {
		return err
	}
	return s.moving.QueryRowContext(ctx, "pragma wal_checkpoint(restart)").Scan(&busy, &pages, &moved)
}
