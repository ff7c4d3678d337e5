package licet_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// A secret is compared by what takes the same time wherever the two differ. So
// nothing that is named like one is compared by an operator, or by a function that
// stops at the first difference; to ask whether it is there at all is another
// matter.

var (
	namedLikeASecret = regexp.MustCompile(`(?i)(secret|password|csrf|passphrase|hmac|mac)(hash|sum)?$`)
	stopsEarly       = map[string]bool{"bytes.Equal": true, "bytes.Compare": true, "strings.EqualFold": true, "strings.Compare": true, "slices.Equal": true, "reflect.DeepEqual": true}
)

// lastName is the last name of an expression: that of what it is about.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr: // a conversion
		if len(e.Args) == 1 {
			return lastName(e.Args[0])
		}
	case *ast.SliceExpr:
		return lastName(e.X)
	case *ast.IndexExpr:
		if lit, ok := e.Index.(*ast.BasicLit); ok {
			return strings.Trim(lit.Value, `"`)
		}
		return lastName(e.X)
	}
	return ""
}

// nothing says whether an expression is the empty value.
func nothing(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value == `""` || e.Kind == token.INT
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false"
	}
	return false
}

func isLen(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "len"
}

// hasty lists where a file compares a secret by what stops early.
func hasty(set *token.FileSet, f *ast.File) (found []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op != token.EQL && n.Op != token.NEQ || nothing(n.X) || nothing(n.Y) || isLen(n.X) || isLen(n.Y) {
				return true
			}
			if namedLikeASecret.MatchString(lastName(n.X)) || namedLikeASecret.MatchString(lastName(n.Y)) {
				found = append(found, set.Position(n.Pos()).String())
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) != 2 {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && stopsEarly[pkg.Name+"."+sel.Sel.Name] && (namedLikeASecret.MatchString(lastName(n.Args[0])) || namedLikeASecret.MatchString(lastName(n.Args[1]))) {
				found = append(found, set.Position(n.Pos()).String())
			}
		}
		return true
	})
	return found
}

// Proves SEC-097.
func TestASecretIsComparedInTheSameTimeWhereverItDiffers(t *testing.T) {
	set := token.NewFileSet()
	files := 0
	walkGo(t, func(path string) {
		product := false
		for _, room := range []string{"oauth/", "as/", "login/", "endpoint/", "internal/node/", "store/"} {
			product = product || strings.HasPrefix(path, room)
		}
		if !product || strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files++
		for _, place := range hasty(set, f) {
			t.Errorf("%s compares a secret by what stops at the first difference", place)
		}
	})
	if files < 50 {
		t.Errorf("only %d files were read", files)
	}
}

// straight says what in a function makes its time depend on more than its
// arguments' lengths: a branch, a loop, a second way out.
func straight(f *ast.FuncDecl) error {
	returns := 0
	var wrong error
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.SelectStmt:
			wrong = fmt.Errorf("it has a %T", n)
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				wrong = fmt.Errorf("it has a %s, of which the second part may be left out", n.Op)
			}
		case *ast.ReturnStmt:
			returns++
		}
		return true
	})
	if wrong == nil && returns != 1 {
		wrong = fmt.Errorf("it has %d ways out", returns)
	}
	return wrong
}

// function finds a function of a file.
func function(t *testing.T, f *ast.File, name string) *ast.FuncDecl {
	t.Helper()
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == name {
			return fn
		}
	}
	t.Fatalf("there is no function %s", name)
	return nil
}

// beginsWith says whether the first thing that a function does is to call another,
// whatever it was given.
func beginsWith(f *ast.FuncDecl, callee string) bool {
	first, ok := f.Body.List[0].(*ast.AssignStmt)
	if !ok || len(first.Rhs) != 1 {
		return false
	}
	call, ok := first.Rhs[0].(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == callee
}

// Whoever it is that comes with a secret, one hash is computed and one comparison
// made, before anything is known of them.
//
// Proves SEC-097.
func TestAnUnknownClientCostsTheSameWork(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "oauth/authenticate.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := straight(function(t, f, "CheckSecret")); err != nil {
		t.Errorf("CheckSecret does not do the same for everybody: %v", err)
	}
	if !beginsWith(function(t, f, "Authenticate"), "CheckSecret") {
		t.Error("Authenticate judges before it has compared")
	}
}

// The control of the two tests above.
func TestAHastyComparisonIsNoticed(t *testing.T) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "hasty.go", `package p
func (c C) bad1(secret string) bool { return c.Secret == secret }
func bad2(f map[string]string, want string) bool { return f["password"] != want }
func bad3(got, formMAC []byte) bool { return bytes.Equal(got, formMAC[:]) }
func bad4(c C, sum []byte) bool { return string(c.SecretHash) == string(sum) }
func good1(f map[string]string) bool { return f["password"] == "" }
func good2(c C, got []byte) bool { return c.SecretHash != nil && len(c.SecretHash) == 32 && subtle.ConstantTimeCompare(got, c.SecretHash) == 1 }
func early(c C, s string) bool { if c.SecretHash == nil { return false }; return equal(c, s) }
func short(c C, s string) bool { return c.known && equal(c, s) }
func even(c C, s string) bool { got := sum(s); return equal(got, c.hash) }
func asksFirst(c C, s string) error { if c.ID == "" { return errUnknown }; right := c.CheckSecret(s); return admit(right) }
func comparesFirst(c C, s string) error { right := c.CheckSecret(s); return admit(c, right) }
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found := hasty(set, f); len(found) != 4 {
		t.Errorf("of four hasty comparisons, %q are noticed", found)
	}
	for name, want := range map[string]bool{"early": false, "short": false, "even": true} {
		if err := straight(function(t, f, name)); (err == nil) != want {
			t.Errorf("%s is straight: %v, %v", name, err == nil, err)
		}
	}
	if beginsWith(function(t, f, "asksFirst"), "CheckSecret") || !beginsWith(function(t, f, "comparesFirst"), "CheckSecret") {
		t.Error("who asks first is taken for who compares first")
	}
}
