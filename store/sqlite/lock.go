//go:build unix

package sqlite

import (
	"fmt"
	"os"
	"syscall"
)

// lockFile keeps a second process from opening the same database: its committer
// and ours would not know of each other. The lock ends with the process, however
// it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("sqlite: %s is in use by another process", path)
	}
	return f, nil
}
