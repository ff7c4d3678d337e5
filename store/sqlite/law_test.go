package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/store/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) as.Store { return openStore(t, dir) }

func openStore(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(dir, "licet.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheStoreObeysTheLaw(t *testing.T) { storetest.Run(t, open) }
