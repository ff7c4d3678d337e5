package sqlite

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The law makes every query there is; afterwards each is looked at.
func TestTheStoreObeysTheLaw(t *testing.T) {
	var conns []*conn
	storetest.Run(t, func(t *testing.T, dir string) as.Store {
		s, err := Open(context.Background(), filepath.Join(dir, "licet.db"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, s.writer)
		for range readerCount() {
			c := <-s.readers
			conns = append(conns, c)
			s.readers <- c
		}
		return s
	})
	t.Run("and reads no table, and nobody's things, from end to end", func(t *testing.T) {
		queries := map[string]bool{}
		for _, c := range conns {
			for query := range c.prepared {
				queries[query] = true
			}
		}
		if len(queries) < 80 {
			t.Fatalf("the law made only %d queries", len(queries))
		}
		s, _ := openInside(t)
		for query := range queries {
			checkPlan(t, s, query)
		}
	})
}

var (
	// A scan is the reading of a whole table, or of a whole index.
	scan = regexp.MustCompile(`^SCAN (\w+)`)
	// One space may own a tenth of everything: to go through all that a space has
	// is a scan, too. Only the roles in a space are few.
	wholeSpace = regexp.MustCompile(`^SEARCH (\w+) .*\(space_id=\?\)`)
)

// ofADeletedClient are the queries with which a client is deleted.
var ofADeletedClient = regexp.MustCompile(`^delete .*(client_id|resource_server) = \$1|^update shares set dormant_since = \$2 where resource_server|^select space_id from grants where client_id`)

// mayScan tells which may be scanned: the few signing keys, and one row that is of no
// table. And the deletion of a client, which is seldom, looks through
// what there is rather than keep indexes that every grant would pay for.
// An owner's page says how much of what there is.
func mayScan(query, table string) bool {
	return table == "signing_keys" || table == "one_row" || table == "CONSTANT" || ofADeletedClient.MatchString(query)
}

// checkPlan refuses a query that scans a table.
func checkPlan(t *testing.T, s *Store, query string) {
	t.Helper()
	if verb, _, _ := strings.Cut(query, " "); !strings.Contains("select insert update delete", verb) {
		return // begin, commit and their like
	}
	rows, err := s.moving.Query("explain query plan " + placeholder.ReplaceAllString(query, "1"))
	if err != nil {
		t.Errorf("%v\n%s", err, query)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		if m := scan.FindStringSubmatch(step); m != nil && !mayScan(query, m[1]) {
			t.Errorf("%s\n%s", step, query)
		}
		if m := wholeSpace.FindStringSubmatch(step); m != nil && m[1] != "roles" && !strings.Contains(query, "count(*) from resources") && !strings.HasSuffix(query, "desc limit 1") {
			t.Errorf("%s\n%s", step, query)
		}
		if strings.HasPrefix(step, "USE TEMP B-TREE") && !strings.Contains(query, "from roles") && !strings.Contains(query, "from signing_keys") {
			t.Errorf("%s\n%s", step, query)
		}
	}
}
