package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/store/postgres"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The first argument of the first statement on a connection may be an empty text,
// which is not null.
func TestAConnectionMayBeginWithAnEmptyText(t *testing.T) {
	url := pgtest.Database(t)
	writing, reading := open(t, url), open(t, url)
	defer func() {
		if err := errors.Join(writing.Close(), reading.Close()); err != nil {
			t.Error(err)
		}
	}()
	if err := writing.Update(t.Context(), func(tx as.Tx) error { return tx.InsertClient(oauth.Client{ID: "c"}) }); err != nil {
		t.Fatal(err)
	}
	var found []oauth.Client
	err := reading.View(t.Context(), func(r as.Reader) (err error) {
		found, err = r.Clients(as.Page{Limit: 1})
		return err
	})
	if err != nil || len(found) != 1 {
		t.Errorf("from the beginning there are %d clients, %v", len(found), err)
	}
}
