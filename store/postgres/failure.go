package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/as"
)

// refused says whether it was the database itself that said no.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e)
}

// conflicts are the states in which a transaction has to run again: it could not
// be serialized, it was in a deadlock, or a key that was looked for and not found
// is there.
var conflicts = map[string]bool{"40001": true, "40P01": true, "23505": true}

func isConflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && conflicts[e.Code]
}

// isOtherTable says whether a row was not as its table is any more: it may have got
// another column meanwhile.
func isOtherTable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "42804"
}

// away are the classes, and single states, in which the database does not do what
// it is asked to and may do it later: connections (08), a server that only reads
// or has lost patience with an idle transaction (25006, 25P03), means that are
// used up (53), locks that are not to be had (55P03), an operator (57).
var away = []string{"08", "25006", "25P03", "53", "55P03", "57"}

func isAway(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true // nothing came back
	}
	for _, class := range away {
		if strings.HasPrefix(e.Code, class) {
			return true
		}
	}
	return false
}

// describe makes an error of the connection, or of the server, one of the store.
func describe(err error) error {
	if isAway(err) {
		return fmt.Errorf("postgres: %w: %w", as.ErrUnavailable, err)
	}
	return fmt.Errorf("postgres: %w", err)
}
