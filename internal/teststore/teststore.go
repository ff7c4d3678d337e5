package teststore

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/store/postgres"
	"github.com/licet/licet/store/sqlite"
)

// Store is an open store that can be looked at from below.
type Store struct {
	as.Store
	// Dump returns everything that the store keeps, as whoever stole the database
	// would have it.
	Dump func() []byte
}

// Open opens an empty store, and closes it when the test ends.
func Open(t testing.TB) Store {
	t.Helper()
	var s Store
	if os.Getenv("LICET_TEST_STORE") == "postgres" {
		s = openPostgres(t)
	} else {
		s = openSQLite(t)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}

func openSQLite(t testing.TB) Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "licet.db")
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return Store{store, func() (all []byte) {
		files, err := filepath.Glob(path + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, raw...)
		}
		return all
	}}
}

func openPostgres(t testing.TB) Store {
	t.Helper()
	url := pgtest.Database(t)
	store, err := postgres.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return Store{store, func() []byte {
		ctx := context.Background()
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		found, err := c.Query(ctx, `select table_name::text from information_schema.tables where table_schema = 'public'`)
		if err != nil {
			t.Fatal(err)
		}
		tables, err := pgx.CollectRows(found, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, table := range tables {
			found, err := c.Query(ctx, "select r::text from "+pgx.Identifier{table}.Sanitize()+" r")
			if err != nil {
				t.Fatal(err)
			}
			rows, err := pgx.CollectRows(found, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				all = append(append(all, row...), '\n')
			}
		}
		return all
	}}
}
