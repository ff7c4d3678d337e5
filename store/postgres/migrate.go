package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/licet/licet/store/internal/rows"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrate brings the schema up to date, one node after the other.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	own := config.Copy()
	delete(own.RuntimeParams, "statement_timeout") // a migration takes as long as it takes
	db := stdlib.OpenDB(*own)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := check(ctx, db); err != nil {
		return err
	}
	files, err := rows.Translate(dialect)
	if err != nil {
		return err
	}
	oneAtATime, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(oneAtATime))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("postgres: reading the version of the schema: %w", err)
	}
	if version > rows.Schema {
		return fmt.Errorf("postgres: the database has schema %d; this program runs on schemas up to %d", version, rows.Schema)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// check refuses a database that keeps other text than it is given.
func check(ctx context.Context, db *sql.DB) error {
	var encoding string
	if err := db.QueryRowContext(ctx, "show server_encoding").Scan(&encoding); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("postgres: the database has the encoding %s; it has to be UTF8", encoding)
	}
	return nil
}

// dialect says what the migrations mean in PostgreSQL: ids are compared byte for
// byte, whatever the database's language. JSON is made by functions of other names.
var dialect = map[string]string{
	" text ": ` text collate "C" `, "/* clustered */": "",
	"json_group_array(": "json_agg(", "json_array(": "json_build_array(", "json(p.scopes)": "p.scopes::json",
}
