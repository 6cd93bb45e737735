package repl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bpfsh/runtime"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// entry is a statement, or several entered at once, that has run without an error.
type entry struct {
	text string
	expr int  // byte offset of the expression at the end; -1 if there is none
	set  bool // its value became _
	uses bool // it speaks of _
}

// savedMark is the second line of a saved script.
const savedMark = "# Saved from the prompt of bpfsh, "

// save writes what was entered as a script. It overwrites nothing but what it has saved itself.
func (l *loop) save(rest string) error {
	path := l.path(rest)
	switch head, err := readHead(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf(".save: %w", err)
	case !strings.Contains(head, "\n"+savedMark):
		return fmt.Errorf(".save: %s is there already, and is not from .save", path)
	}
	if err := os.WriteFile(path, []byte(saved(l.entered, time.Now())), 0o777); err != nil {
		return fmt.Errorf(".save: %w", err)
	}
	l.session.Warn(fmt.Sprintf("%d statements written to %s", len(l.entered), path))
	return nil
}

// readHead reads the first lines of a file.
func readHead(path string) (string, error) {
	f, _, err := runtime.OpenRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	const enough = 1 << 10
	head, err := io.ReadAll(io.LimitReader(f, enough))
	return string(head), err
}

// absoluteLoads is a script's text with the files that it loads named from the root, so that the text may stand in
// another directory. path is the script's own. A text that does not parse stays as it is.
func absoluteLoads(path, text string) string {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return text
	}
	f, err := runtime.ChunkOptions().Parse(path, text, 0)
	if err != nil {
		return text
	}
	for _, s := range slices.Backward(f.Stmts) {
		load, ok := s.(*syntax.LoadStmt)
		if !ok || filepath.IsAbs(load.ModuleName()) {
			continue
		}
		at := offset(text, load.Module.TokenPos.Line-1, load.Module.TokenPos.Col-1)
		whole := starlark.String(filepath.Join(dir, load.ModuleName())).String()
		text = text[:at] + whole + text[at+len(load.Module.Raw):]
	}
	return text
}

// saved is a script that does what was entered. In a script _ is a name like others: where a later statement speaks
// of it, it is assigned.
func saved(entries []entry, now time.Time) string {
	var sb strings.Builder
	sb.WriteString("#!/usr/bin/env -S bpfsh -q\n" + savedMark + now.Format("2006-01-02 15:04") + ".\n\n")
	for i, e := range entries {
		text := e.text
		if e.set && usedLater(entries[i+1:]) {
			text = text[:e.expr] + "_ = " + text[e.expr:]
		}
		sb.WriteString(strings.TrimRight(text, "\n ") + "\n")
		if strings.Contains(e.text, "\n") {
			sb.WriteByte('\n')
		}
	}
	return sb.String()
}

// usedLater says whether a statement speaks of _ before it is set again.
func usedLater(entries []entry) bool {
	for _, e := range entries {
		if e.uses {
			return true
		}
		if e.set {
			return false
		}
	}
	return false
}

// newEntry looks at a text that was parsed, before it is run: the interpreter takes the expression at the end out
// of f. first is the number of the text's first line in f.
func newEntry(text string, f *syntax.File, first int32) entry {
	e := entry{text: text, expr: -1}
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && id.Name == "_" {
			e.uses = true
		}
		return true
	})
	if n := len(f.Stmts); n > 0 {
		if _, ok := f.Stmts[n-1].(*syntax.ExprStmt); ok {
			start, _ := f.Stmts[n-1].Span()
			e.expr = offset(text, start.Line-first, start.Col-1)
		}
	}
	return e
}

// offset is the byte offset of a column, which counts runes, on a line; both from 0.
func offset(text string, line, column int32) int {
	at := 0
	for range line {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for range column {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}
