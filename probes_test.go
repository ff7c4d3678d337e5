package licet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The probes and the mistakes of others are documents that are held against the
// tests: what a document says is shown, is.

// requiredProbes are those that a server of this kind has to answer; from and to.
var requiredProbes = [][2]int{{1, 16}, {20, 33}, {40, 56}, {60, 75}, {80, 99}, {110, 118}, {122, 122}, {124, 125}, {127, 128}}

// unproved are the probes that no test proves yet, with what is missing.
var unproved = map[string]string{}

var (
	probeRow   = regexp.MustCompile(`(?m)^\| (SEC-\d{3}) \|`)
	caseRow    = regexp.MustCompile(`(?m)^\| (REG-\d{2}) [^|]+\|[^|]+\|([^|]+)\|$`)
	testNamed  = regexp.MustCompile("`([A-Za-z0-9_]+)`")
	manyCases  = 40
	probesFile = "docs/security/probes.md"
	casesFile  = "docs/security/regressions.md"
)

// probeIDs are the ids of requiredProbes.
func probeIDs() (ids []string) {
	for _, r := range requiredProbes {
		for n := r[0]; n <= r[1]; n++ {
			ids = append(ids, fmt.Sprintf("SEC-%03d", n))
		}
	}
	return ids
}

// judgeProbes tells what is wrong with the document of the probes, given the places
// of the proofs.
func judgeProbes(document string, proved map[string][]string, open map[string]string) (wrong []string) {
	var written []string
	for _, row := range probeRow.FindAllStringSubmatch(document, -1) {
		if slices.Contains(written, row[1]) {
			wrong = append(wrong, row[1]+" is written twice")
		}
		written = append(written, row[1])
	}
	for _, id := range probeIDs() {
		if !slices.Contains(written, id) {
			wrong = append(wrong, id+" is not in the document")
		}
	}
	for _, id := range written {
		switch reason, isOpen := open[id]; {
		case len(proved[id]) == 0 && !isOpen:
			wrong = append(wrong, "no test proves "+id)
		case len(proved[id]) > 0 && isOpen:
			wrong = append(wrong, id+" is proved, and is on the list of those that are not")
		case isOpen && len(reason) < 20:
			wrong = append(wrong, id+" is not proved, and it is not said why")
		}
	}
	return wrong
}

// declaredTests are the names of all tests.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	set := token.NewFileSet()
	walkGo(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				names[fn.Name.Name] = true
			}
		}
	})
	return names
}

// judgeCases tells what is wrong with the table of others' mistakes.
func judgeCases(document string, tests map[string]bool, many int) (wrong []string) {
	rows := caseRow.FindAllStringSubmatch(document, -1)
	for n := 1; n <= many; n++ {
		id := fmt.Sprintf("REG-%02d", n)
		i := slices.IndexFunc(rows, func(row []string) bool { return row[1] == id })
		if i < 0 {
			wrong = append(wrong, id+" is not in the table")
			continue
		}
		named := testNamed.FindAllStringSubmatch(rows[i][2], -1)
		if len(named) == 0 {
			wrong = append(wrong, id+" names no test")
		}
		for _, name := range named {
			if !tests[name[1]] {
				wrong = append(wrong, id+" names "+name[1]+", which is no test")
			}
		}
	}
	return wrong
}

func TestEveryProbeIsProved(t *testing.T) {
	document, err := os.ReadFile(probesFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range judgeProbes(string(document), proofs(t), unproved) {
		t.Errorf("%s: %s", probesFile, wrong)
	}
}

func TestEveryMistakeOfOthersIsShownNotToBeOurs(t *testing.T) {
	document, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range judgeCases(string(document), declaredTests(t), manyCases) {
		t.Errorf("%s: %s", casesFile, wrong)
	}
}

// The control of the two tests above: documents that are wrong in one way each.
func TestAProbeThatIsNotProvedIsNoticed(t *testing.T) {
	good, proved := "", map[string][]string{}
	for _, id := range probeIDs() {
		good += "| " + id + " | x | y |\n"
		proved[id] = []string{"some_test.go:1"}
	}
	if wrong := judgeProbes(good, proved, nil); len(wrong) > 0 {
		t.Fatalf("a document in which all is well: %q", wrong)
	}
	without := map[string][]string{}
	for id, places := range proved {
		if id != "SEC-012" {
			without[id] = places
		}
	}
	for name, wrong := range map[string][]string{
		"a probe that nothing proves":      judgeProbes(good, without, nil),
		"one left out of the document":     judgeProbes(strings.Replace(good, "| SEC-012 |", "| SEC-912 |", 1), proved, nil),
		"one written twice":                judgeProbes(good+"| SEC-012 | x | y |\n", proved, nil),
		"one that is open and yet proved":  judgeProbes(good, proved, map[string]string{"SEC-012": "what is missing is written here"}),
		"one that is open without a word":  judgeProbes(good, without, map[string]string{"SEC-012": ""}),
		"a case that is not in the table":  judgeCases("| REG-01 a | b | `TestX` |\n", map[string]bool{"TestX": true}, 2),
		"a case that names no test":        judgeCases("| REG-01 a | b | c |\n", nil, 1),
		"a case that names one that's not": judgeCases("| REG-01 a | b | `TestX`, `TestY` |\n", map[string]bool{"TestX": true}, 1),
	} {
		if len(wrong) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}
