package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/sqlite"
	_ "modernc.org/sqlite"
)

func openStore(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(dir, "licet.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened opens a store that is closed when the test ends.
func opened(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s := openStore(t, dir)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func insertSpace(s as.Store, id string) error {
	return s.Update(context.Background(), func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: as.SpaceID(id)}) })
}

func hasSpace(t *testing.T, s as.Store, id string) bool {
	t.Helper()
	err := s.View(context.Background(), func(r as.Reader) error {
		_, err := r.Space(as.SpaceID(id))
		return err
	})
	if err != nil && !errors.Is(err, as.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestConcurrentUpdatesShareACommit(t *testing.T) {
	s := opened(t, t.TempDir())
	const callers, each = 64, 20
	before := s.Stats()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for n := range each {
				if err := insertSpace(s, fmt.Sprintf("%d-%d", c, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	updates, commits := s.Stats().Updates-before.Updates, s.Stats().Commits-before.Commits
	t.Logf("%d updates in %d commits", updates, commits)
	if updates != callers*each || commits > updates/4 {
		t.Errorf("%d updates took %d commits, want %d updates in at most a quarter as many commits", updates, commits, callers*each)
	}
}

func TestUpdatesThatFailCostNoCommit(t *testing.T) {
	s := opened(t, t.TempDir())
	before := s.Stats()
	err := s.Update(context.Background(), func(tx as.Tx) error { return errors.Join(tx.InsertSpace(as.Space{ID: "a"}), errors.ErrUnsupported) })
	if after := s.Stats(); err == nil || after != before {
		t.Errorf("error %v, figures %+v, before %+v", err, after, before)
	}
}

// The function of an Update runs where Update was called: a goroutine that ends
// in it, as a test does that fails, ends nothing else.
func TestAGoroutineMayEndInAnUpdate(t *testing.T) {
	s := opened(t, t.TempDir())
	var gone sync.WaitGroup
	gone.Go(func() {
		_ = s.Update(context.Background(), func(tx as.Tx) error {
			if err := tx.InsertSpace(as.Space{ID: "left"}); err != nil {
				return err
			}
			runtime.Goexit()
			return nil
		})
	})
	gone.Wait()
	if err := insertSpace(s, "next"); err != nil || hasSpace(t, s, "left") {
		t.Errorf("the next Update says %v; what the goroutine wrote is there: %v", err, hasSpace(t, s, "left"))
	}
}

func TestAViewCannotWriteByATrick(t *testing.T) {
	s := opened(t, t.TempDir())
	err := s.View(context.Background(), func(r as.Reader) error {
		tx, ok := r.(as.Tx)
		if !ok {
			return errors.ErrUnsupported
		}
		return tx.InsertSpace(as.Space{ID: "written"})
	})
	if err == nil || hasSpace(t, s, "written") {
		t.Errorf("a View wrote: %v", err)
	}
}

func TestATransactionEndsWithItsFunction(t *testing.T) {
	s := opened(t, t.TempDir())
	var kept as.Tx
	if err := s.Update(context.Background(), func(tx as.Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := kept.InsertSpace(as.Space{ID: "late"}); err == nil || hasSpace(t, s, "late") {
		t.Errorf("a transaction was used after its end: %v", err)
	}
}

// A role of nobody violates a foreign key: an error that is neither of those
// that a caller may pass over.
func TestAnErrorThatIsPassedOverStillFailsTheUpdate(t *testing.T) {
	s := opened(t, t.TempDir())
	err := s.Update(context.Background(), func(tx as.Tx) error {
		err := tx.InsertSpace(as.Space{ID: "before"})
		_ = tx.PutRole(as.Role{Account: "nobody", Space: "nowhere", Kind: as.RoleOwner})
		_ = tx.InsertSpace(as.Space{ID: "after"})
		return err
	})
	if err == nil || hasSpace(t, s, "before") || hasSpace(t, s, "after") {
		t.Errorf("the Update says %v", err)
	}
}

func TestASecondOpeningIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	second, err := sqlite.Open(context.Background(), filepath.Join(dir, "licet.db"))
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the second opening says %v", err)
	}
	if err == nil {
		_ = second.Close()
	}
	if err := insertSpace(s, "still"); err != nil {
		t.Errorf("after that the first says %v", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := openStore(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "licet.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("insert into goose_db_version (version_id, is_applied) values (999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(context.Background(), path)
	if err == nil || !strings.Contains(err.Error(), "schema 999") {
		t.Errorf("opening says %v", err)
	}
	if err == nil {
		_ = s.Close()
	}
}

// The data are read by nobody but the server's own user, whatever the path is
// called.
func TestTheFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b", "50%?x=1#ü")
	s := opened(t, dir)
	if err := insertSpace(s, "here"); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) < 3 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range append(names, nil) {
		path, want := dir, os.FileMode(0o700)
		if name != nil {
			path, want = filepath.Join(dir, name.Name()), 0o600
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}
