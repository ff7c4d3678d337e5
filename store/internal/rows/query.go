package rows

import (
	"strconv"
	"strings"
)

// insertInto builds an insertion of all the columns, in their order. It does
// nothing when a unique key is there already, and says so by its row count; an
// error would end the transaction in PostgreSQL.
func insertInto(table, columns string) string {
	values := make([]string, strings.Count(columns, ",")+1)
	for i := range values {
		values[i] = "$" + strconv.Itoa(i+1)
	}
	return "insert into " + table + " (" + columns + ") values (" + strings.Join(values, ", ") + ")" + UnlessThere
}

// updateIn builds an update of a row by the first of its columns.
func updateIn(table, columns string) string {
	var set []string
	key, rest, _ := strings.Cut(columns, ",")
	for i, column := range strings.Split(rest, ",") {
		set = append(set, strings.TrimSpace(column)+" = $"+strconv.Itoa(i+2))
	}
	return "update " + table + " set " + strings.Join(set, ", ") + " where " + key + " = $1"
}

// UnlessThere is how an insertion ends that does nothing when its key is there.
const UnlessThere = " on conflict do nothing"

// spendIn builds the one statement that spends a record: of two that come at the
// same time, one finds the mark unset. $1 is the digest, $2 is now.
func spendIn(table, mark, columns string) string {
	return "update " + table + " set " + mark + " = $2 where digest = $1 and " + mark + " = 0 and expires_at > $2 returning " + columns
}
