package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/internal/pgtest"
)

// nodes are processes that serve one issuer from one database, each with a
// directory of its own that has the same secrets in it.
type nodes struct {
	t         *testing.T
	database  string
	file      string
	processes []*process
	callers   []*caller
}

const photoApp = `
[[clients]]
id = "app"
secret_file = "rs.secret"
grant_types = ["urn:ietf:params:oauth:grant-type:uma-ticket"]
claims_redirect_uris = ["https://app.example/claims"]
scopes = ["view"]
`

func startNodes(t *testing.T, count int) *nodes {
	t.Helper()
	n := &nodes{t: t, database: pgtest.Database(t)}
	var first string
	n.file, first = settled(t, "LICET_STORE="+n.database)
	dir := filepath.Dir(n.file)
	text, err := os.ReadFile(n.file)
	if err != nil {
		t.Fatal(err)
	}
	app := strings.ReplaceAll(photoApp, "rs.secret", filepath.Join(dir, "rs.secret"))
	if err := os.WriteFile(n.file, append(text, app...), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets, err := os.ReadFile(filepath.Join(dir, "data", "secret.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		data, address := t.TempDir(), first
		if i > 0 {
			address = freeAddress(t)
		}
		if err := os.WriteFile(filepath.Join(data, "secret.json"), secrets, 0o600); err != nil {
			t.Fatal(err)
		}
		n.processes = append(n.processes, n.start(data, address))
		n.callers = append(n.callers, &caller{t: t, at: address})
	}
	for i, p := range n.processes {
		p.ready("http://" + n.callers[i].at + "/readyz")
	}
	token := newCaller(t, first).token
	for _, c := range n.callers {
		c.token = token
	}
	return n
}

// start starts a node; the address is not that of the issuer.
func (n *nodes) start(data, address string) *process {
	n.t.Helper()
	return start(n.t, io.Discard, []string{"LICET_DATA=" + data, "LICET_LISTEN=" + address}, "serve", "--config", n.file, "--store", n.database)
}

// ask sends a form or, with a bearer token, a JSON text, and returns the answer.
func (c *caller) ask(method, path, contentType, body, user string) (status int, answer map[string]any) {
	c.t.Helper()
	req, err := http.NewRequest(method, "http://"+c.at+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	req.Header.Set("Content-Type", contentType)
	if user == "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	} else {
		req.SetBasicAuth(user, strings.Repeat("s", 40))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Error(err)
		return 0, nil
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil && err != io.EOF {
		c.t.Error(err)
	}
	return resp.StatusCode, answer
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func (c *caller) redeem(ticket string) (status int, answer map[string]any) {
	c.t.Helper()
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:uma-ticket"}, "ticket": {ticket}}
	return c.ask(http.MethodPost, "/token", formType, form.Encode(), "app")
}

func (c *caller) active(rpt string) bool {
	c.t.Helper()
	status, answer := c.ask(http.MethodPost, "/introspect", formType, url.Values{"token": {rpt}}.Encode(), "")
	if status != http.StatusOK {
		c.t.Errorf("introspection at %s: %d %v", c.at, status, answer)
	}
	return answer["active"] == true
}

// Whatever node is asked, it is one authorization server: what one of them did the
// others know, and what may happen once happens once among all of them.
//
// Proves SEC-005, SEC-081, SEC-091.
func TestNodesOfOneDatabaseAreOneServer(t *testing.T) {
	n := startNodes(t, 3)
	one, two, three := n.callers[0], n.callers[1], n.callers[2]
	photo, ok := one.make("/uma/resources", `{"name":"photo","resource_scopes":["view"]}`)
	if !ok || len(two.resources()) != 1 || two.resources()[0] != photo || len(three.resources()) != 1 {
		t.Fatalf("registered at one node: %v; the others list %v and %v", ok, two.resources(), three.resources())
	}
	policy, ok := two.make("/owner/policies", `{"resource_id":"`+photo+`","resource_scopes":["view"],"anyone":true}`)
	if !ok {
		t.Fatal("no policy")
	}
	var rpt string
	for range 5 {
		_, asked := three.ask(http.MethodPost, "/uma/permission", jsonType, `{"resource_id":"`+photo+`","resource_scopes":["view"]}`, "")
		ticket, _ := asked["ticket"].(string)
		var mu sync.Mutex
		var all sync.WaitGroup
		winners := 0
		for i := range 64 {
			all.Go(func() {
				status, answer := n.callers[i%3].redeem(ticket)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case status == http.StatusOK:
					winners++
					rpt, _ = answer["access_token"].(string)
				case status != http.StatusBadRequest || answer["error"] != "invalid_grant":
					t.Errorf("a loser was told %d %v", status, answer)
				}
			})
		}
		all.Wait()
		if winners != 1 {
			t.Fatalf("%d requests won, want one", winners)
		}
	}
	for _, c := range n.callers {
		if !c.active(rpt) {
			t.Errorf("%s does not know the RPT", c.at)
		}
	}
	if status, answer := one.ask(http.MethodDelete, "/owner/policies/"+policy, jsonType, "", ""); status != http.StatusNoContent {
		t.Fatalf("withdrawing: %d %v", status, answer)
	}
	if one.active(rpt) {
		t.Error("the node that withdrew the policy still says that the RPT is good")
	}
	time.Sleep(time.Second) // by then a node knows, or knows that it does not know
	if two.active(rpt) || three.active(rpt) {
		t.Error("a second after the withdrawal another node says that the RPT is good")
	}
}

// A node that dies takes nothing along: the others go on at once.
func TestTheOthersGoOnWhenANodeDies(t *testing.T) {
	n := startNodes(t, 3)
	stop := make(chan struct{})
	var dying sync.WaitGroup
	for range 8 {
		dying.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					n.callers[2].make("/uma/resources", `{"resource_scopes":["view"]}`)
				}
			}
		})
	}
	for range 20 {
		n.callers[0].make("/uma/resources", `{"resource_scopes":["view"]}`)
	}
	n.processes[2].kill()
	for i := range 20 {
		began := time.Now()
		if _, ok := n.callers[i%2].make("/uma/resources", `{"resource_scopes":["view"]}`); !ok {
			t.Errorf("a registration failed after another node had died: %s", n.processes[i%2].stderr)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("after another node had died a registration took %v", took)
		}
	}
	close(stop)
	dying.Wait()
}

// A node that brings other secrets, or none, to a database that is in use does not
// start: it could read nothing of it.
func TestANodeNeedsTheSecretsOfItsDatabase(t *testing.T) {
	n := startNodes(t, 1)
	without := t.TempDir()
	p := n.start(without, freeAddress(t))
	if err := p.wait(); err == nil || !strings.Contains(p.stderr.String(), "another node") {
		t.Errorf("without secrets: %v %s", err, p.stderr)
	}
	if _, err := os.Stat(filepath.Join(without, "secret.json")); err == nil {
		t.Error("it made secrets of its own")
	}
	others, address := settled(t)
	data := filepath.Join(filepath.Dir(others), "data")
	p = n.start(data, address)
	if err := p.wait(); err == nil || !strings.Contains(p.stderr.String(), "every node needs that one") {
		t.Errorf("with the secrets of another server: %v %s", err, p.stderr)
	}
}

// A node that cannot reach its database says so, and is well again when it can.
//
// Proves SEC-043, SEC-093.
func TestANodeWithoutItsDatabaseIsNotReady(t *testing.T) {
	n := startNodes(t, 1)
	status := func(path string) int {
		resp, err := http.Get("http://" + n.callers[0].at + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	restore := pgtest.CutOff(t, n.database)
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz without the database: %d", got)
	}
	if got := status("/livez"); got != http.StatusOK {
		t.Errorf("/livez without the database: %d", got)
	}
	time.Sleep(time.Second) // by then it knows that it does not know
	if got, answer := n.callers[0].ask(http.MethodPost, "/introspect", formType, "token=some", ""); got != http.StatusServiceUnavailable {
		t.Errorf("introspection without the database: %d %v", got, answer)
	}
	restore()
	n.processes[0].ready("http://" + n.callers[0].at + "/readyz")
	if _, ok := n.callers[0].make("/uma/resources", `{"resource_scopes":["view"]}`); !ok {
		t.Error("when the database is back nothing can be registered")
	}
}
