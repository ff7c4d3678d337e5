package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// A population of n resources has n/10 owners. The first owner has a tenth of
// everything, the others have nine each. What one has comes together, as in any
// file that is exported from somewhere. Of ten resources seven are shared with
// anybody, one with Bob, one with anybody through another app, and one with
// nobody. On top come some resources with many shares. It is written as a file
// of rows and brought in by `licet import`.

// class says how a resource is shared.
type class byte

const (
	open     class = iota // with anybody
	toBob                 // with the bearer of Bob's address
	otherApp              // with anybody, through an app that is not used
	unshared
	crowded // with many people, none of them Bob
)

func classOf(i int) class {
	switch i / 10 % 10 {
	case 7:
		return toBob
	case 8:
		return otherApp
	case 9:
		return unshared
	}
	return open
}

const bob = "bob@example.com"

var sharesOf = map[class]string{
	open:     `,"shares":[{"resource_scopes":["view"],"anyone":true}]`,
	toBob:    `,"shares":[{"resource_scopes":["view"],"required_claims":[{"name":"email","value":"` + bob + `"}]}]`,
	otherApp: `,"shares":[{"resource_scopes":["view"],"anyone":true,"client_id":"another"}]`,
}

// crowds are the numbers of shares on the crowded resources, and how many of
// these there are of each.
var crowds = []int{1, 10, 100, 1000}

const crowdedEach = 4

func ownersOf(n int) int { return n / 10 }

// ownerOf tells whose a resource is.
func ownerOf(i, owners int) int {
	if i%10 == 0 {
		return 0
	}
	return 1 + min(i/10, owners-2)
}

func emailOf(owner int) string { return fmt.Sprintf("owner%d@example.com", owner) }

// The clients of a run, and their secret. It guards nothing.
const (
	clientRS      = "rs"
	clientApp     = "app"
	clientOwners  = "owners-app"
	clientService = "service"
	secret        = "nobody-else-listens-on-this-machine-s-loopback"
)

func basic(id string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// rows writes the population; it ends with the resources.
func rows(to io.Writer, n int) error {
	w := bufio.NewWriter(to)
	owners := ownersOf(n)
	for o := range owners {
		fmt.Fprintf(w, `{"kind":"account","email":"%s","email_verified":true,"name":"Owner %d","space":"Owner %d's things"}`+"\n", emailOf(o), o, o)
	}
	clientRows(w, emailOf(0))
	for i := range n {
		resourceRow(w, i, ownerOf(i, owners), sharesOf[classOf(i)])
	}
	for i, crowd := range crowds {
		for j := range crowdedEach {
			resourceRow(w, n+i*crowdedEach+j, 0, crowdOf(crowd))
		}
	}
	return w.Flush()
}

// clientRows writes the clients of a run; one of them is that of an owner alone.
func clientRows(w *bufio.Writer, owner string) {
	for id, rest := range map[string]string{
		clientRS:      `"grant_types":["` + oauth.GrantAuthorizationCode + `"],"redirect_uris":["https://rs.example/callback"],"scopes":["` + string(uma.ScopeProtection) + `"]`,
		clientOwners:  `"grant_types":["` + oauth.GrantAuthorizationCode + `"],"redirect_uris":["https://owners.example/callback"],"scopes":["` + string(oauth.ScopePolicy) + `"]`,
		clientApp:     `"grant_types":["` + uma.GrantType + `"],"scopes":["view","edit"],"push_claims":true`,
		clientService: `"grant_types":["` + oauth.GrantClientCredentials + `"],"scopes":["` + string(oauth.ScopePolicy) + `"],"owner":"` + owner + `"`,
	} {
		fmt.Fprintf(w, `{"kind":"client","client_id":"%s","token_endpoint_auth_method":"client_secret_basic","client_secret_sha256":"%s",%s}`+"\n",
			id, secretHash(), rest)
	}
}

// secretHash is how the secret of all clients is kept.
func secretHash() string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// resourceRow writes one resource; w keeps the first error for the end.
func resourceRow(w *bufio.Writer, i, owner int, shares string) {
	fmt.Fprintf(w, `{"kind":"resource","owner":"%s","resource_server":"%s","description":%s%s}`+"\n", emailOf(owner), clientRS, describe(i), shares)
}

func describe(i int) string {
	return fmt.Sprintf(`{"name":"Photo %d","type":"https://photos.example/photo","icon_uri":"https://photos.example/icon.png","resource_scopes":["view","edit"]}`, i)
}

func crowdOf(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"resource_scopes":["view"],"required_claims":[{"name":"email","value":"friend%d@example.com"}]}`, i)
	}
	return `,"shares":[` + strings.Join(list, ",") + `]`
}

var importRate = regexp.MustCompile(`(\d+) rows/s`)

// build brings a target's population in, tells at what rate, and has read what became
// of its rows.
func (t *target) build(licet string, write func(io.Writer) error, read func(ids string) error) error {
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(t.dir, "rows.json")
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	ids := filepath.Join(t.dir, "ids.json")
	cmd := exec.Command(licet, "import", "--name", "bench", "--ids", ids, file)
	cmd.Env = append(append(os.Environ(), where(filepath.Join(t.dir, "data"), t.url)...), "LICET_ISSUER=http://127.0.0.1:1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("licet import: %w\n%s", err, out)
	}
	if m := importRate.FindSubmatch(out); m != nil {
		t.importRate, err = strconv.Atoi(string(m[1]))
	}
	return errors.Join(err, read(ids), os.Remove(file), os.Remove(ids))
}

// readIDs reads what became of the resources, the last rows of the population.
func (t *target) readIDs(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	owners := ownersOf(t.size)
	t.world.resources = make([]resource, 0, t.size)
	t.world.crowded = map[int][]resource{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(`"kind":"resource"`)) {
			continue
		}
		i := len(t.world.resources)
		if i < t.size {
			id := member(lines.Bytes(), "id")
			t.world.resources = append(t.world.resources, resource{id: id, owner: ownerOf(i, owners)})
			continue
		}
		var row struct {
			ID     string
			Shares []string
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return err
		}
		crowd := len(row.Shares)
		t.world.crowded[crowd] = append(t.world.crowded[crowd], resource{id: row.ID})
	}
	return lines.Err()
}
