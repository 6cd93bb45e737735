package repl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// edit gives the last statement to an editor, and runs what comes back. What was not changed does not run: a write
// that was not meant to be repeated is harm.
func (l *loop) edit(string) error {
	dir, err := os.MkdirTemp("", "bpfsh")
	if err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "edit.star") // editors know a language by its name
	if err := os.WriteFile(path, []byte(l.last+"\n"), 0o600); err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	words := l.editor()
	if err := l.cfg.Exec(words[0], append(words[1:], path)...); err != nil {
		return fmt.Errorf(".edit: %s: %w", words[0], err)
	}
	edited, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf(".edit: %w", err)
	}
	text := strings.TrimRight(cleanText(string(edited)), "\n ")
	switch {
	case text == "":
		return nil
	case text == l.last:
		return errors.New(".edit: nothing was changed, and nothing is run")
	}
	l.remember(text)
	l.last = text
	l.session.Print(text)
	return l.execute(text)
}

// editor is the program that edits files, and its first arguments.
func (l *loop) editor() []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if words := strings.Fields(l.cfg.Getenv(name)); len(words) > 0 {
			return words
		}
	}
	return []string{"vi"}
}
