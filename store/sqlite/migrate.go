package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date.
func migrate(ctx context.Context, file string) (err error) {
	db := sql.OpenDB(connectTo(file, forWriting))
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(rows.Migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, dialect{files})
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: reading the version of the schema: %w", err)
	}
	if version > rows.Schema {
		return fmt.Errorf("sqlite: the database has schema %d; this program runs on schemas up to %d", version, rows.Schema)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// dialect says what the migrations mean in SQLite: a clustered table has no rowid,
// so that a row is in one tree instead of two.
type dialect struct{ fs.FS }

func (d dialect) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return translated{f, strings.NewReader(strings.ReplaceAll(string(text), "/* clustered */", "without rowid"))}, nil
}

// translated is a file with another text.
type translated struct {
	fs.File
	text *strings.Reader
}

func (t translated) Read(b []byte) (int, error) { return t.text.Read(b) }
