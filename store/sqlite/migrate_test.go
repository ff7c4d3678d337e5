package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
)

// ofSchema makes a database of an older schema, with what the statements put there.
func ofSchema(t *testing.T, version int64, statements ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "licet.db")
	db := sql.OpenDB(connectTo(path, forWriting))
	files, err := rows.Translate(dialect)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(context.Background(), version); err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheHistoryOfAnOlderSchemaIsReadOn(t *testing.T) {
	path := ofSchema(t, 11,
		`insert into events (space_id, seq, at, kind, actor, subject, detail, prev, hash) values
			('a', 1, 10, 'k', 'x', 'y', '{}', null, x'01'), ('a', 2, 30, 'k', 'x', 'z', '{"n":2}', x'01', x'02'), ('b', 1, 20, 'l', '', '', '{}', null, x'03')`)
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(context.Background(), func(tx as.Tx) error {
		return tx.AppendEvent(as.Event{Space: "a", Seq: 3, Kind: "m", Detail: "{}", Prev: []byte{2}, Hash: []byte{4}})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(context.Background(), func(r as.Reader) error {
		list, err := r.Events("a", 0, 9)
		if err != nil || len(list) != 3 || list[1].Subject != "z" || list[1].Detail != `{"n":2}` || list[1].At.UnixMilli() != 30 ||
			string(list[1].Prev) != "\x01" || string(list[1].Hash) != "\x02" || list[2].Kind != "m" {
			t.Errorf("%v, %+v", err, list)
		}
		if list, err = r.Events("b", 0, 9); err != nil || len(list) != 1 || list[0].Kind != "l" || list[0].Prev != nil {
			t.Errorf("%v, %+v", err, list)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheGrantsOfAnOlderSchemaAreOneRowEach(t *testing.T) {
	s, err := Open(context.Background(), ofSchema(t, 11, storetest.OlderGrants...))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storetest.OlderGrantsAreThere(t, s)
}
