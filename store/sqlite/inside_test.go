package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func openInside(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "licet.db")
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s, path
}

// A foreign key that is checked at the commit makes the commit itself fail.
func TestAfterAFailedCommitTheNextSucceeds(t *testing.T) {
	s, _ := openInside(t)
	ctx := context.Background()
	err := s.Update(ctx, func(tx as.Tx) error {
		if err := s.writer.run("pragma defer_foreign_keys = on"); err != nil {
			return err
		}
		return tx.PutRole(as.Role{Account: "nobody", Space: "nowhere"})
	})
	if err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("the Update whose commit failed was told %v", err)
	}
	if err := s.Update(ctx, func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: "next"}) }); err != nil {
		t.Errorf("the next Update: %v", err)
	}
}

func TestCloseWaitsForWhatIsRunning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "licet.db")
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	inside, told := make(chan struct{}), make(chan error, 1)
	go func() {
		told <- s.Update(context.Background(), func(tx as.Tx) error {
			close(inside)
			<-s.Closing()
			return tx.InsertSpace(as.Space{ID: "running"})
		})
	}()
	<-inside
	if err := errors.Join(s.Close(), <-told, s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	err = s.View(context.Background(), func(r as.Reader) error {
		_, err := r.Space("running")
		return err
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Errorf("what was running when the store was closed: %v", err)
	}
}

func TestALongLogBeginsAnew(t *testing.T) {
	s, path := openInside(t)
	ctx := context.Background()
	claims := make([]byte, 256<<10)
	insert := func(id string) {
		t.Helper()
		err := s.Update(ctx, func(tx as.Tx) error { return tx.InsertProcess(as.Process{ID: as.ProcessID(id), Claims: claims}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	length := func() int64 {
		t.Helper()
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for _, id := range []string{"a", "b", "c"} {
		insert(id)
	}
	if err := s.checkpoint(ctx, longLog); err != nil || length() == 0 {
		t.Fatalf("a short log: %v, %d bytes", err, length())
	}
	// While somebody reads an old snapshot the log cannot begin anew; nobody waits
	// for that.
	err := s.View(ctx, func(r as.Reader) error {
		if _, err := r.Process("a"); err != nil {
			return err
		}
		insert("d")
		began := time.Now()
		err := s.checkpoint(ctx, 1)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the checkpoint waited %v for a reader", took)
		}
		insert("e")
		return err
	})
	if err != nil {
		t.Fatalf("with a reader: %v", err)
	}
	before := length()
	err = s.checkpoint(ctx, 1)
	insert("f")
	if err != nil || length() != before {
		t.Errorf("a long log: %v, it has grown from %d bytes to %d", err, before, length())
	}
}

// A share that was written before the table of those who are named, or by an older
// node beside, names them after the next opening.
func TestWhomAnOlderVersionNamedIsFoundAfterOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "licet.db")
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	email := func(address string) []policy.Claim {
		return []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{address, "dora@example.com"}}}
	}
	for addressee, id := range map[string]policy.ShareID{"'*'": "one", "null": "two"} {
		err = errors.Join(err, s.Update(ctx, func(tx as.Tx) error {
			err := tx.InsertShare(as.Share{Share: policy.Share{ID: id, Claims: email("bob@example.com")}, Space: "space", Version: 1})
			return errors.Join(err, s.writer.run("delete from addressees"), s.writer.run("update shares set addressee = "+addressee+" where id = '"+string(id)+"'"))
		}))
	}
	named := func() (list []as.Share) {
		err = errors.Join(err, s.View(ctx, func(r as.Reader) (err error) {
			list, err = r.SharesNaming("space", "bob@example.com", "", "bob", as.Page{Limit: 9})
			return err
		}))
		return list
	}
	if list := named(); len(list) != 0 || err != nil {
		t.Fatalf("he is named by %v, %v", list, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(ctx, path); err != nil {
		t.Fatal(err)
	}
	if list := named(); len(list) != 2 {
		t.Errorf("he is named by %v", list)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}
