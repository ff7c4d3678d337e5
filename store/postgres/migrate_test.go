package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
)

func TestTheGrantsOfAnOlderSchemaAreOneRowEach(t *testing.T) {
	url := pgtest.Database(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	files, err := rows.Translate(dialect)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(context.Background(), 11); err != nil {
		t.Fatal(err)
	}
	for _, s := range storetest.OlderGrants {
		if _, err := db.Exec(strings.ReplaceAll(s, "x'", `'\x`)); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storetest.OlderGrantsAreThere(t, s)
}
