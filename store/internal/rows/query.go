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

// under is a generation that a row is written under: that of the client or account
// which a column of the row names, or of all. A client or an account that is not
// there has the first.
type under struct{ column, names, current string }

const ofAll = "(select r.generation from revocations r where r.id = 1)"

var (
	underClient  = under{"client_generation", "client_id", "coalesce((select o.generation from clients o where o.id = %), 1) + " + ofAll}
	underAccount = under{"account_generation", "account_id", "coalesce((select o.generation from accounts o where o.id = %), 1)"}
	underAll     = under{"revocations", "", ofAll}
)

// holds is the condition that the generation is still the current one.
func (u under) holds() string { return u.column + " = " + strings.Replace(u.current, "%", u.names, 1) }

// insertUnder is insertInto for rows that are written under generations, which are
// read in the statement itself.
func insertUnder(table, columns string, all ...under) string {
	into, values, _ := strings.Cut(strings.TrimSuffix(insertInto(table, columns), ")"+UnlessThere), ") values (")
	for _, u := range all {
		current := u.current
		for i, column := range strings.Split(columns, ",") {
			if strings.TrimSpace(column) == u.names {
				current = strings.Replace(u.current, "%", "$"+strconv.Itoa(i+1), 1)
			}
		}
		into, values = into+", "+u.column, values+", "+current
	}
	return into + ") values (" + values + ")" + UnlessThere
}

// UnlessThere is how an insertion ends that does nothing when its key is there.
const UnlessThere = " on conflict do nothing"

// InsertMany is an insertion of one row that ends with [UnlessThere], made one of many
// rows, whose arguments are arrays of these types, and that does not end so.
func InsertMany(insertion string, arrays []string) string {
	into, values, _ := strings.Cut(strings.TrimSuffix(insertion, ")"+UnlessThere), ") values (")
	names := make([]string, len(arrays))
	from := make([]string, len(arrays))
	for i, array := range arrays {
		names[i] = "c" + strconv.Itoa(i+1)
		from[i] = "$" + strconv.Itoa(i+1) + "::" + array
	}
	return into + ") select " + strings.ReplaceAll(values, "$", "a.c") +
		" from unnest(" + strings.Join(from, ", ") + ") as a (" + strings.Join(names, ", ") + ")"
}

// spendIn builds the one statement that spends a record: of two that come at the
// same time, one finds the mark unset. A record that was written under generations
// which have moved on is not there. $1 is the digest, $2 is now.
func spendIn(table, mark, columns string, all ...under) string {
	query := "update " + table + " set " + mark + " = $2 where digest = $1 and " + mark + " = 0 and expires_at > $2"
	for _, u := range all {
		query += " and " + u.holds()
	}
	return query + " returning " + columns
}
