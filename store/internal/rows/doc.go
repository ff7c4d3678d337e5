// Package rows turns the verbs of as.Tx into SQL that SQLite and PostgreSQL
// both understand. A store opens a database, begins and ends transactions, and
// hands each to [New].
//
// Placeholders are $1, $2, …; column types are bytea, text, bigint and boolean;
// times are milliseconds, lists are JSON texts; every column is named. What may
// happen once only is one conditional statement.
package rows

import "embed"

// Migrations are the schema's migrations, in goose's form, below the directory
// "migrations". They only ever expand what is there, and contract it no earlier
// than a version later.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Schema is the version of the schema that this binary runs on.
const Schema = 17
