package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date.
func migrate(ctx context.Context, file string) (err error) {
	db := sql.OpenDB(connectTo(file, forWriting))
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := rows.Translate(dialect)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
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
// so that a row is in one tree instead of two. What is said to clustered tables alone
// is said here.
var dialect = map[string]string{"/* clustered */": "without rowid", "-- clustered: ": ""}
