package rows

import (
	"slices"
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

// An Insertion is one of one row that ends with [UnlessThere], in its parts.
type Insertion struct {
	Table   string
	Columns []string // whose values are the arguments, in their order; there may be more
	into    string
	values  string
}

// ReadInsertion takes an insertion apart.
func ReadInsertion(query string) Insertion {
	into, values, _ := strings.Cut(strings.TrimSuffix(query, ")"+UnlessThere), ") values (")
	table, columns, _ := strings.Cut(strings.TrimPrefix(into, "insert into "), " (")
	i := Insertion{Table: table, Columns: strings.Split(columns, ","), into: into, values: values}
	for n, column := range i.Columns {
		i.Columns[n] = strings.TrimSpace(column)
	}
	return i
}

// Many is the insertion of many rows, which come as one array of rows of the table
// and all have to be new.
func (i Insertion) Many() string {
	values := i.values
	for n, column := range slices.Backward(i.Columns) {
		values = strings.ReplaceAll(values, "$"+strconv.Itoa(n+1), "a."+column)
	}
	return i.into + ") select " + values + " from unnest($1::" + i.Table + "[]) as a"
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
