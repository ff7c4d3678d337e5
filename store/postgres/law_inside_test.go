package postgres

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/internal/pgtest"
)

// The law makes every query there is; afterwards each is looked at.
func TestTheStoreObeysTheLaw(t *testing.T) {
	var mu sync.Mutex
	databases := map[string]string{} // by the directory that the law asks for
	var stores []*Store
	storetest.Run(t, func(t *testing.T, dir string) as.Store {
		mu.Lock()
		defer mu.Unlock()
		if databases[dir] == "" {
			databases[dir] = pgtest.Database(t)
		}
		s, err := Open(context.Background(), databases[dir])
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
		return s
	})
	t.Run("and reads no table, and nobody's things, from end to end", func(t *testing.T) {
		queries := map[string]int{} // how many arguments each has
		for _, s := range stores {
			for _, c := range append(s.readers.idle, s.writer) {
				for query, is := range c.prepared {
					queries[query] = len(is.ParamOIDs)
				}
			}
		}
		if len(queries) < 80 {
			t.Fatalf("the law made only %d queries", len(queries))
		}
		s, err := Open(t.Context(), pgtest.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := pgconn.ConnectConfig(t.Context(), s.writer.config)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background())
		for query, arguments := range queries {
			plan := planOf(t, c, query, arguments)
			if read := readWhole(plan); read != "" && !mayRead.MatchString(query) {
				t.Errorf("%s\n%s\n%s", read, query, plan)
			}
		}
		for _, query := range []string{
			"select n from uses where n > $1",
			"select n from uses where space_id = $1 and n > $2",
			"select u.n from uses u join accounts a on a.generation = u.n where a.id = $1",
		} {
			if readWhole(planOf(t, c, query, strings.Count(query, "$"))) == "" {
				t.Errorf("nobody sees what this reads: %s", query)
			}
		}
	})
}

// mayRead are the queries that may read all there is: of the few signing keys and the
// roles in a space; of a client that is deleted, which is seldom; of a page that says
// how much of what there is; and those that read one step of it.
var mayRead = regexp.MustCompile(`from signing_keys|from roles|count\(\*\) from resources|desc limit 1$|` +
	`^delete .*(client_id|resource_server) = \$1|^update shares set dormant_since = \$2 where resource_server|^select space_id from grants where client_id`)

// planOf is how a query is carried out that was planned while there was nothing.
func planOf(t *testing.T, c *pgconn.PgConn, query string, arguments int) string {
	t.Helper()
	if verb, _, _ := strings.Cut(query, " "); !strings.Contains("select insert update delete with", verb) {
		return "" // begin, commit and their like
	}
	run := "explain (costs off) execute looked"
	if arguments > 0 {
		run += "(" + strings.Repeat("null, ", arguments-1) + "null)"
	}
	var plan strings.Builder
	for _, sql := range []string{"prepare looked as " + query, run, "deallocate looked"} {
		results, err := c.Exec(t.Context(), sql).ReadAll()
		if err != nil {
			t.Fatalf("%v\n%s", err, query)
		}
		for _, row := range results[0].Rows {
			plan.WriteString(string(row[0]) + "\n")
		}
	}
	return plan.String()
}

var (
	reads   = regexp.MustCompile(`(Seq|Index|Index Only) Scan .*`)
	narrows = regexp.MustCompile(`^ *Index Cond: `)
	bySpace = regexp.MustCompile(`^ *Index Cond: \(space_id = \$\d+\)$`)
)

// readWhole is the step of a plan that reads a whole table, a whole index, or all that
// a space has; "" for none.
func readWhole(plan string) string {
	lines := strings.Split(plan, "\n")
	for i, line := range lines[:len(lines)-1] {
		if reads.MatchString(line) && (!narrows.MatchString(lines[i+1]) || bySpace.MatchString(lines[i+1])) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
