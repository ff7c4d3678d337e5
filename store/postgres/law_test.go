package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/internal/pgtest"
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

func TestTheStoreObeysTheLaw(t *testing.T) {
	var mu sync.Mutex
	databases := map[string]string{} // by the directory that the law asks for
	storetest.Run(t, func(t *testing.T, dir string) as.Store {
		mu.Lock()
		defer mu.Unlock()
		if databases[dir] == "" {
			databases[dir] = pgtest.Database(t)
		}
		return open(t, databases[dir])
	})
}
