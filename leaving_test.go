package licet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// The server goes to the network by one client, which looks at the address that it
// has dialled. So in its rooms nobody makes another, or takes the one that
// everybody shares.

// ways are the names by which a program goes to the network without being handed a
// client.
var ways = map[string]map[string]bool{
	"http": {"Get": true, "Post": true, "PostForm": true, "Head": true, "DefaultClient": true, "DefaultTransport": true, "Client": true, "Transport": true},
	"net":  {"Dial": true, "DialTimeout": true, "DialTCP": true, "DialUDP": true, "Dialer": true, "LookupHost": true, "LookupIP": true, "LookupAddr": true, "DefaultResolver": true},
	"tls":  {"Dial": true, "DialWithDialer": true, "Dialer": true},
	"exec": {"Command": true, "CommandContext": true},
}

// leaving lists where a file goes out on its own. To name the type of a client that
// one is handed is not to make one.
func leaving(set *token.FileSet, f *ast.File) (found []string) {
	handed := map[ast.Node]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok {
			handed[star.X] = true
		}
		return true
	})
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || handed[sel] {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Obj == nil && ways[pkg.Name][sel.Sel.Name] {
			found = append(found, set.Position(sel.Pos()).String()+": "+pkg.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return found
}

// Proves SEC-110, SEC-112.
func TestOneClientLeavesTheHouse(t *testing.T) {
	set := token.NewFileSet()
	files := 0
	walkGo(t, func(path string) {
		inside := false
		for _, room := range []string{"uma/", "oauth/", "policy/", "as/", "login/", "endpoint/", "internal/node/", "internal/limit/", "store/"} {
			inside = inside || strings.HasPrefix(path, room)
		}
		if !inside || strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files++
		for _, place := range leaving(set, f) {
			t.Errorf("%s goes to the network past internal/egress", place)
		}
	})
	if files < 80 {
		t.Errorf("only %d files were read", files)
	}
}

// The control of the test above.
func TestAnotherWayOutIsNoticed(t *testing.T) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "out.go", `package p
import ("net"; "net/http")
type config struct { Fetch *http.Client }
func bad1() { http.Get("https://x.example") }
func bad2() *http.Client { return &http.Client{} }
func bad3() *http.Client { return http.DefaultClient }
func bad4() { net.Dial("tcp", "x.example:443") }
func good(c *http.Client, r *http.Request) { _, _ = c.Do(r); _ = http.StatusOK; _ = net.ParseIP("::1") }
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found := leaving(set, f); len(found) != 4 {
		t.Errorf("of four ways out %q are noticed", found)
	}
}
