package licet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What reads bytes of somebody else's is fuzzed. Parsers are known by their names,
// and HTTP handlers by the route table: FuzzEveryRoute in endpoint takes them from
// there.

// fuzzedWith are the parsers that a target reaches through something else.
var fuzzedWith = map[string]string{
	"as.VerifyHistory":        "", // reads the store
	"oauth.ParseChallenge":    "FuzzParseAuthorizationRequest",
	"oauth.ParsePrivate":      "", // reads what this server wrote, unsealed
	"oauth.VerifyAssertion":   "FuzzVerifyAssertion",
	"oauth.VerifyCertificate": "", // judges what TLS has parsed
	"oauth.VerifyIDTokenHint": "FuzzEndSession",
	"oauth.VerifyS256":        "FuzzTokenEndpoint",
	"uma.ParsePermission":     "FuzzParsePermissionRequest",
	"uma.ParseRequiredClaim":  "FuzzParseAnswers",
}

func TestEveryParserIsFuzzed(t *testing.T) {
	set := token.NewFileSet()
	targets, called := map[string]string{}, map[string]bool{}
	parsers := map[string]bool{}
	walkGo(t, func(path string) {
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimSuffix(f.Name.Name, "_test")
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok:
			case !strings.HasSuffix(path, "_test.go"):
				if name := fn.Name.Name; parses(name) && !strings.HasPrefix(path, "bench/") && !strings.HasPrefix(path, "conformance/") {
					parsers[room+"."+name] = true
				}
			case strings.HasPrefix(fn.Name.Name, "Fuzz"):
				targets[fn.Name.Name] = filepath.Join(filepath.Dir(path), "testdata", "fuzz", fn.Name.Name)
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						called[room+"."+id.Name] = true
					}
					return true
				})
			}
		}
	})
	for name := range parsers {
		through, said := fuzzedWith[name]
		switch {
		case called[name] && said:
			t.Errorf("%s is called by a fuzz target, and said to be reached through something else", name)
		case !called[name] && !said:
			t.Errorf("%s reads what somebody else wrote, and no fuzz target calls it", name)
		case said && through != "" && targets[through] == "":
			t.Errorf("%s is said to be fuzzed by %s, which is no target", name, through)
		}
	}
	for name := range fuzzedWith {
		if !parsers[name] {
			t.Errorf("%s is said to be fuzzed, and is no parser", name)
		}
	}
	for name, corpus := range targets {
		kept, err := os.ReadDir(corpus)
		if err != nil || len(kept) < 5 {
			t.Errorf("%s begins with %d inputs in %s: %v", name, len(kept), corpus, err)
		}
	}
	if len(targets) < 25 || len(parsers) < 25 {
		t.Errorf("there are %d targets and %d parsers", len(targets), len(parsers))
	}
}

// parses says whether a function of this name reads what somebody else wrote.
func parses(name string) bool {
	for _, verb := range []string{"Parse", "Verify", "Canonical"} {
		if after, ok := strings.CutPrefix(name, verb); ok && (after == "" || after[0] >= 'A' && after[0] <= 'Z') {
			return true
		}
	}
	return false
}
