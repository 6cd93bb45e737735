package builtins_test

import (
	"go/ast"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/runtime"

	"go.starlark.net/starlark"
)

// TestTopics finds in the topics each row and each attribute that the program's source has, as often as it has it. So none
// can be called that the tests which go through the topics pass over.
func TestTopics(t *testing.T) {
	listed := map[string]int{}
	for _, topic := range slices.Concat(builtins.Topics(), runtime.Topics()) {
		for _, entry := range topic.Entries {
			switch entry.Kind {
			case "function", "method":
				listed["row "+entry.Name]++
			case "attribute":
				listed["attribute "+entry.Name]++
			}
		}
	}
	written := map[string]int{}
	inPackages(t, func(pkg string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			switch kind := rowKind(lit.Type); {
			case kind == "":
			case kind[0] != '[': // one that stands alone, or in what makes one of each name that it is given
				if name := field(lit, "Name"); name != "" {
					written[kind+" "+name]++
				}
			default:
				for _, x := range lit.Elts {
					name := nameOf(x)
					if name == "" {
						t.Errorf("package %s has %s whose name is not there to be read", pkg, kind)
					}
					written[kind[2:]+" "+name]++
				}
			}
			return true
		})
	})
	all := maps.Clone(listed)
	maps.Copy(all, written)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if listed[name] != written[name] {
			t.Errorf("%s: %d times in the source, and %d in the topics", name, written[name], listed[name])
		}
	}
}

// inPackages calls f with each file of the packages that scripts see, without tests.
func inPackages(t *testing.T, f func(pkg string, file *ast.File)) {
	t.Helper()
	for _, root := range []string{"../builtins", "../runtime"} {
		if err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if found, err := filepath.Glob(filepath.Join(dir, "*.go")); len(found) == 0 {
				return err
			}
			for _, file := range sources(t, dir) {
				f(file.Name.Name, file)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// rowKind says what a literal of a type makes: a "row", an "attribute", and behind "[]" several; "" is anything else.
func rowKind(typ ast.Expr) string {
	if list, ok := typ.(*ast.ArrayType); ok {
		if kind := rowKind(list.Elt); kind != "" {
			return "[]" + kind
		}
		return ""
	}
	generic, ok := typ.(*ast.IndexExpr)
	if !ok {
		return ""
	}
	of, ok := generic.X.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := of.X.(*ast.Ident); !ok || pkg.Name != "method" {
		return ""
	}
	return map[string]string{"Row": "row", "Attr": "attribute"}[of.Sel.Name]
}

// nameOf is the name of one of several rows: its field, or the first argument of what makes it.
func nameOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.CompositeLit:
		return field(x, "Name")
	case *ast.CallExpr:
		if len(x.Args) > 0 {
			return text(x.Args[0])
		}
	}
	return ""
}

// field is the text of a field of a literal; "" if it is not there, or not written out.
func field(lit *ast.CompositeLit, name string) string {
	for _, x := range lit.Elts {
		if pair, ok := x.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == name {
				return text(pair.Value)
			}
		}
	}
	return ""
}

// text is that of a string literal; "" for anything else.
func text(x ast.Expr) string {
	if lit, ok := x.(*ast.BasicLit); ok {
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	return ""
}

// TestTopicNames finds what help has to say about the name of each type and of each parameter.
func TestTopicNames(t *testing.T) {
	s := runtime.New(runtime.Config{Topics: builtins.Topics(), Alias: builtins.Alias})
	parameter := regexp.MustCompile(`(?:^|, )\**(\w+)`)
	typeof, err := s.Help(starlark.String("typeof"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"u8", "u32[4]", "struct flow_key", "union a", "enum", "char", "be16", "__be16", "cidr6", "pid", "comm", "unsigned long int", "void *", "hex(u32)", "bytes[6]", "__int128", "bool"} {
		if text, err := s.Help(starlark.String(name)); err != nil || !strings.Contains(text, typeof) {
			t.Errorf("help(%q) does not tell how types are spelled: %v\n%s", name, err, text)
		}
	}
	for _, topic := range slices.Concat(builtins.Topics(), runtime.Topics()) {
		for _, entry := range topic.Entries {
			for _, m := range parameter.FindAllStringSubmatch(entry.Params, -1) {
				name := m[1]
				if text, err := s.Help(starlark.String(name)); err != nil || !strings.Contains(text, entry.Name) {
					t.Errorf("help(%q) does not lead to %s: %v\n%s", name, entry.Name, err, text)
				}
			}
		}
	}
}
