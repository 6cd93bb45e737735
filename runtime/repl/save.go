package repl

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
	"unicode/utf8"

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
	switch old, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf(".save: %w", err)
	case !bytes.Contains(old, []byte("\n"+savedMark)):
		return fmt.Errorf(".save: %s is there already, and is not from .save", path)
	}
	if err := os.WriteFile(path, []byte(saved(l.entered, time.Now())), 0o777); err != nil {
		return fmt.Errorf(".save: %w", err)
	}
	l.session.Warn(fmt.Sprintf("%d statements written to %s", len(l.entered), path))
	return nil
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
