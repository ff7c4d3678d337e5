// Package licet_test keeps the house in order: who may import whom, that every
// room says what it is for, that the words of the term table exist, and that
// every requirement of the two specifications is proved by a test that names
// it.
package licet_test

import (
	"bufio"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/licet/licet/"

// room is what one package may import of this module, and of others.
type room struct {
	rooms  []string // packages of this module
	others []string // modules besides the standard library; prefix match
	why    string
}

// arrows is the plan of the house. A package that is not here does not exist;
// tests may import what they like.
var arrows = map[string]room{
	"uma":             {why: "the words of the specifications are for everybody, so they carry nothing along"},
	"internal/seeded": {why: "a mistake made on purpose is a switch and nothing else"},
	"oauth": {rooms: []string{"uma", "internal/seeded"}, others: []string{"github.com/go-jose/go-jose/v4"},
		why: "OAuth rules are values in and values out; what they are about is stored by as"},
	"policy": {rooms: []string{"uma"}, others: []string{"github.com/cedar-policy/cedar-go"},
		why: "a judgement depends on what it is given and on nothing else"},
	"internal/page": {others: []string{"golang.org/x/text"},
		why: "how pages look and speak has nothing to do with what they are about"},
	"internal/egress": {why: "the one way out to the network has no reason to know who goes"},
	"as": {rooms: []string{"uma", "oauth", "dpop", "policy", "internal/egress", "internal/limit", "internal/seeded"},
		why: "the rules know no HTTP, no HTML and no SQL"},
	"owner": {rooms: []string{"as", "oauth", "policy", "uma"},
		why: "what is told of a space is values; how it is said, and in which language, is for pages"},
	"as/differential": {why: "it is nothing but tests"},
	"owner/web/e2e":   {why: "it is nothing but tests"},
	"as/storetest": {rooms: []string{"as", "uma", "oauth", "policy"}, others: []string{"github.com/google/go-cmp"},
		why: "the law of a store speaks of what as declares"},
	"store/sqlite": {rooms: []string{"as", "store/internal/"}, others: []string{"modernc.org/sqlite", "modernc.org/libc", "github.com/pressly/goose/v3"},
		why: "a store keeps and returns; it knows no rule"},
	"store/postgres": {rooms: []string{"as", "store/internal/"}, others: []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3"},
		why: "a store keeps and returns; it knows no rule"},
	"internal/pgtest": {others: []string{"github.com/jackc/pgx/v5"},
		why: "a database for tests knows nothing of what is kept in it"},
	"internal/teststore": {rooms: []string{"as", "store/sqlite", "store/postgres", "internal/pgtest"}, others: []string{"github.com/jackc/pgx/v5"},
		why: "it opens stores for tests, and no product package may want it"},
	"store/internal/": {rooms: []string{"as", "uma", "oauth", "policy", "store/internal/", "internal/seeded"}, others: []string{"github.com/pressly/goose/v3"},
		why: "what the stores share is theirs alone"},
	"login": {rooms: []string{"as", "uma"}, others: []string{"golang.org/x/crypto", "golang.org/x/oauth2", "github.com/coreos/go-oidc/v3", "github.com/go-webauthn/webauthn"},
		why: "who a person is has nothing to do with what was asked"},
	"internal/limit": {others: []string{"golang.org/x/time"},
		why: "how much is too much has nothing to do with what is asked for"},
	"endpoint": {rooms: []string{"as", "oauth", "dpop", "policy", "uma", "internal/limit", "internal/page", "internal/seeded"},
		why: "the HTTP face declares the sign-in it needs and is handed one; adapters do not know each other"},
	"owner/web": {rooms: []string{"owner", "as", "oauth", "policy", "uma", "internal/egress", "internal/page"},
		why: "the owner's pages declare the sign-in they need and are handed one; adapters do not know each other"},
	// The suite has its own bytes: these three share no parser with anybody.
	"conformance/report":              {why: "how results are told has nothing to do with what was checked"},
	"conformance/internal/":           {rooms: []string{"conformance/internal/", "conformance/report"}, why: "a misreading of ours must not agree with itself"},
	"conformance/authorizationserver": {rooms: []string{"conformance/internal/", "conformance/report"}, why: "a misreading of ours must not agree with itself"},
	"conformance/resourceserver":      {rooms: []string{"conformance/internal/", "conformance/report"}, why: "a misreading of ours must not agree with itself"},
	"conformance/client":              {rooms: []string{"conformance/internal/", "conformance/report"}, why: "a misreading of ours must not agree with itself"},

	"dpop":      {rooms: []string{"uma"}, why: "both SDKs carry it along"},
	"assertion": {why: "both SDKs carry it along"},

	"rs":     {rooms: []string{"assertion", "dpop", "uma"}, why: "the SDK for resource servers carries nothing of the server"},
	"client": {rooms: []string{"assertion", "dpop", "uma"}, why: "the SDK for clients carries nothing of the server"},
	"internal/mail": {rooms: []string{"as", "internal/page"}, others: []string{"github.com/wneessen/go-mail"},
		why: "whoever puts letters into words and sends them does not know why they are sent"},
	"internal/node": {rooms: []string{"as", "login", "endpoint", "store/sqlite", "store/postgres", "owner/web", "internal/egress", "internal/mail", "internal/page"},
		why: "a server is wired in one place, whoever runs it"},
	"internal/demo": {rooms: []string{"uma", "oauth", "policy", "as", "login", "rs", "client", "internal/mail", "internal/node", "internal/page"},
		why: "the demonstration is the server as it is shipped, with a world around it; nothing of the server wants it"},
	"cmd/licet": {rooms: []string{"uma", "oauth", "policy", "as", "login", "endpoint", "internal/demo", "internal/limit", "internal/mail", "internal/node",
		"conformance/authorizationserver", "conformance/client", "conformance/report", "conformance/resourceserver"},
		others: []string{"github.com/alecthomas/kong", "github.com/BurntSushi/toml", "github.com/go-jose/go-jose/v4"},
		why:    "main reads what is wanted and runs it; nothing imports it"},
	"bench": {rooms: []string{"oauth", "uma", "rs", "client"},
		why: "a load driver knows the server by its sockets alone"},
	"bench/server": {rooms: []string{"as", "oauth", "uma", "internal/node"},
		why: "what is measured is the product's own node"},
}

// roomOf finds the rule of a package; a rule that ends in a slash is for all
// below it.
func roomOf(path string) (room, bool) {
	if r, ok := arrows[path]; ok {
		return r, true
	}
	for name, r := range arrows {
		if strings.HasSuffix(name, "/") && strings.HasPrefix(path, name) {
			return r, true
		}
	}
	return room{}, false
}

func (r room) allows(imported string) bool {
	if inside, ok := strings.CutPrefix(imported, module); ok {
		return slices.ContainsFunc(r.rooms, func(name string) bool {
			return inside == name || strings.HasSuffix(name, "/") && strings.HasPrefix(inside, name)
		})
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // standard library
	}
	return slices.ContainsFunc(r.others, func(name string) bool {
		return imported == name || strings.HasPrefix(imported, name+"/")
	})
}

// packages parses the imports and comments of every package, without tests.
func packages(t *testing.T) map[string][]*ast.File {
	t.Helper()
	out := map[string][]*ast.File{}
	set := token.NewFileSet()
	walkGo(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(set, path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		out[dir] = append(out[dir], f)
	})
	return out
}

func walkGo(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryArrowPointsAsPlanned(t *testing.T) {
	for path, files := range packages(t) {
		r, ok := roomOf(path)
		if !ok {
			t.Errorf("package %s is not in the plan of the house: add it to arrows, with its reason", path)
			continue
		}
		for _, f := range files {
			for _, spec := range f.Imports {
				imported := strings.Trim(spec.Path.Value, `"`)
				if !r.allows(imported) {
					t.Errorf("%s must not import %s: %s", path, imported, r.why)
				}
			}
		}
	}
}

// The control of the test above: arrows that must never be allowed are not.
func TestABrokenArrowIsNoticed(t *testing.T) {
	for from, to := range map[string]string{
		"uma": module + "oauth", "rs": module + "as", "client": module + "oauth", "as": module + "store/sqlite",
		"endpoint": module + "login", "policy": module + "as", "login": module + "endpoint", "oauth": "golang.org/x/oauth2",
	} {
		r, ok := roomOf(from)
		if !ok || r.allows(to) {
			t.Errorf("an import of %s by %s would not be noticed", to, from)
		}
	}
}

func TestEveryRoomSaysWhatItIsFor(t *testing.T) {
	for path, files := range packages(t) {
		said := false
		for _, f := range files {
			said = said || f.Doc != nil && len(f.Doc.Text()) > 80
		}
		if !said {
			t.Errorf("package %s has no comment that says what it is for", path)
		}
	}
}

// The term table is Markdown: term | section | Go name | …. Every Go name in it
// has to be declared.
func TestTheTermsExist(t *testing.T) {
	declared := map[string]bool{}
	set := token.NewFileSet()
	walkGo(t, func(path string) {
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = receiver(d.Recv.List[0].Type) + "." + name
				}
				declared[f.Name.Name+"."+name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						declared[f.Name.Name+"."+spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							declared[f.Name.Name+"."+n.Name] = true
						}
					}
				}
			}
		}
	})
	table, err := os.ReadFile("docs/reference/terms.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:uma|oauth|policy|as|owner|endpoint|rs|client)\\.[A-Z][A-Za-z.]*)`").FindAllStringSubmatch(string(table), -1)
	if len(names) < 20 {
		t.Fatalf("the term table has only %d Go names", len(names))
	}
	for _, n := range names {
		if !declared[n[1]] {
			t.Errorf("docs/reference/terms.md names %s, which is not declared", n[1])
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return receiver(e.X)
	}
	return ""
}

type requirement struct{ id, level, party, text string }

// binding says whether a requirement is one of M or MN.
func (r requirement) binding() bool { return strings.Contains(r.level, "M") }

func requirements(t *testing.T) []requirement {
	t.Helper()
	f, err := os.Open("docs/spec/requirements.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []requirement
	lines := bufio.NewScanner(f)
	lines.Scan() // heading
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) != 4 {
			t.Fatalf("docs/spec/requirements.tsv: %q has not four columns", lines.Text())
		}
		out = append(out, requirement{c[0], c[1], c[2], c[3]})
	}
	return out
}

// A proof is a comment line in a test file: "Proves ID, ID.", which may go on
// over several lines. A range is written out; nothing is proved in passing.
var (
	proofLine = regexp.MustCompile(`^\s*(?://\s*|-\s*|#\s*)Proves `)
	proofID   = regexp.MustCompile(`\b(?:GEN|GRANT|FED|SEC|WE|PEER|AMB)-[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?`)
	comment   = regexp.MustCompile(`^\s*(//|#)`)
)

// proofs maps each id to the places that prove it.
func proofs(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		script := strings.Contains(path, "testdata") && (strings.HasSuffix(path, ".txt") || strings.HasSuffix(path, ".txtar"))
		if !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "as/storetest/") && !script {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		proving := false
		for n, line := range strings.Split(string(text), "\n") {
			proving = proofLine.MatchString(line) || proving && comment.MatchString(line)
			if !proving {
				continue
			}
			for _, id := range proofID.FindAllString(line, -1) {
				out[id] = append(out[id], fmt.Sprintf("%s:%d", filepath.ToSlash(path), n+1))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryBindingRequirementIsProved(t *testing.T) {
	proved := proofs(t)
	var open, loose []string
	for _, r := range requirements(t) {
		if len(proved[r.id]) > 0 {
			continue
		}
		line := fmt.Sprintf("%s (%s, %s): %s", r.id, r.level, r.party, r.text)
		if r.binding() {
			open = append(open, line)
		} else {
			loose = append(loose, line)
		}
	}
	t.Logf("%d requirements without a binding word are not proved by a test:\n%s", len(loose), strings.Join(loose, "\n"))
	for _, line := range open {
		t.Errorf("not proved: %s", line)
	}
}

func TestNoTestProvesWhatDoesNotExist(t *testing.T) {
	known := map[string]bool{}
	for _, r := range requirements(t) {
		known[r.id] = true
	}
	for id, places := range proofs(t) {
		catalogued := strings.HasPrefix(id, "GEN-") || strings.HasPrefix(id, "GRANT-") || strings.HasPrefix(id, "FED-")
		if catalogued && !known[id] {
			t.Errorf("%s proves %s, which is not in docs/spec/requirements.tsv", places[0], id)
		}
	}
}

var update = flag.Bool("update", false, "write docs/spec/coverage.md anew")

// docs/spec/coverage.md tells a reader which test proves which requirement.
func TestTheCoverageIsWrittenDown(t *testing.T) {
	proved := proofs(t)
	var b strings.Builder
	b.WriteString("# Requirements and what proves them\n\nWritten by `go test . -run Coverage -update`. Levels: M and MN bind, S and SN advise, O allows, d describes.\n\n| requirement | level | party | what | proved in |\n|---|---|---|---|---|\n")
	for _, r := range requirements(t) {
		var files []string
		for _, place := range proved[r.id] {
			file, _, _ := strings.Cut(place, ":")
			files = append(files, file)
		}
		slices.Sort(files)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.level, r.party, strings.ReplaceAll(r.text, "|", "\\|"), strings.Join(slices.Compact(files), ", "))
	}
	const path = "docs/spec/coverage.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != b.String() {
		t.Errorf("%s is not up to date: run go test . -run Coverage -update", path)
	}
}

// The worked examples of the assessment, and the mistakes of other servers that
// must not be made again, are tests by name.
func TestWorkedExamplesAndOthersMistakesAreProved(t *testing.T) {
	proved := proofs(t)
	for _, id := range []string{
		"WE-1", "WE-2", "WE-3", "WE-3b", "WE-4", "WE-5", "WE-6a", "WE-6b", "WE-7", "WE-8", "WE-9", "WE-10",
		"PEER-CVE-2026-9799", "PEER-CVE-2025-14778", "PEER-CVE-2026-4636", "PEER-CVE-2026-3190", "PEER-CVE-2026-4630",
		"PEER-CVE-2026-94217", "PEER-CVE-2026-18572", "PEER-CVE-2026-9800", "PEER-CVE-2026-37981", "PEER-46717",
		"PEER-52985", "PEER-48987", "PEER-49910", "PEER-unverified-claim-tokens", "PEER-ticket-replay", "PEER-Gravitee",
		"PEER-Gatekeeper", "PEER-go-uma", "PEER-SolidLab",
	} {
		if len(proved[id]) == 0 {
			t.Errorf("no test proves %s", id)
		}
	}
}

// The control of the proof reader: a proof is read from a comment that says so
// and from nothing else.
func TestAProofIsReadFromItsComment(t *testing.T) {
	for line, want := range map[string]bool{
		"// Proves GRANT-2-01.":        true,
		"# Proves FED-2-01, FED-2-02.": true,
		`	s := "Proves GRANT-2-01"`:    false,
		"// It disproves nothing.":     false,
	} {
		if got := proofLine.MatchString(line); got != want {
			t.Errorf("%q is read as a proof: %v", line, got)
		}
	}
}
