package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestASCII keeps what bpfsh itself says in ASCII, but for the signs that are chosen by the locale.
func TestASCII(t *testing.T) {
	byLocale := map[string]string{`"…"`: "narrow.go", `'↵'`: "assist.go"} // and all in signs.go
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == "vendor" {
			return filepath.SkipDir // what others say
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if ok && filepath.Base(path) != "signs.go" && strings.ContainsFunc(literal.Value, func(r rune) bool { return r > unicode.MaxASCII }) && byLocale[literal.Value] != filepath.Base(path) {
				t.Errorf("%v: %s is not ASCII", set.Position(literal.Pos()), literal.Value)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
