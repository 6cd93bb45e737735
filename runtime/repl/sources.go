package repl

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

// within waits for f no longer than completionTime. While a call is late, no other is made: what is asked for is
// found when it is asked for again.
func (l *loop) within(f func() []Candidate) []Candidate {
	timeout := time.After(completionTime)
	if l.late != nil {
		select {
		case <-l.late:
			l.late = nil
		case <-timeout:
			return nil
		}
	}
	done := make(chan []Candidate, 1)
	go func() {
		var found []Candidate
		defer func() {
			if recover() != nil { // a bug in what is asked must not end the shell, and leave the terminal raw
				found = nil
			}
			done <- found
		}()
		found = f()
	}()
	select {
	case found := <-done:
		return found
	case <-timeout:
		l.late = done
		return nil
	}
}

// ask is within, for texts.
func (l *loop) ask(f func() []string) []string {
	var texts []string
	for _, c := range l.within(func() []Candidate {
		var found []Candidate
		for _, text := range f() {
			found = append(found, Candidate{Text: text})
		}
		return found
	}) {
		texts = append(texts, c.Text)
	}
	return texts
}

// keys are what a value knows of what may stand in its brackets, or for a parameter of one of its methods.
func (l *loop) keys(p place, kind string, v starlark.Value, end string) Completion {
	from := p.argument
	if p.bracket == "[" {
		from = p.inBracket // a key may be a tuple
	}
	typed := p.text[from:]
	c := Completion{From: from}
	var texts []string
	single := strings.HasPrefix(typed, "'")
	asked := typed
	if single {
		asked = `"` + typed[1:]
	}
	switch v := v.(type) {
	case Completer:
		texts = l.ask(func() []string { return v.Complete(kind, asked) })
	case *starlark.Dict:
		if kind == "key" && p.bracket == "[" {
			texts = dictKeys(v, asked)
		}
	}
	for _, text := range texts {
		if p.bracket == "[" { // where a tuple needs no parentheses
			text = bare(text)
		}
		if single {
			text = singleQuoted(text)
		}
		if strings.HasPrefix(text, typed) {
			c.Candidates = append(c.Candidates, Candidate{Text: text, End: end})
		}
	}
	return c
}

// bare is a tuple without its parentheses, if it is one without them.
func bare(text string) string {
	inner, ok := strings.CutPrefix(text, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !ok || !closed || inner == "" || strings.HasSuffix(inner, ",") {
		return text
	}
	return inner
}

// singleQuoted is a string in double quotation marks with others, where nothing in it has to be escaped for that.
func singleQuoted(text string) string {
	inner, ok := strings.CutPrefix(text, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !ok || !closed || strings.ContainsAny(inner, `"'\`) {
		return text
	}
	return "'" + inner + "'"
}

// dictKeys looks at some of the keys only: there may be millions.
func dictKeys(d *starlark.Dict, prefix string) []string {
	const most, looked = 200, 100_000
	var found []string
	it := d.Iterate()
	defer it.Done()
	var key starlark.Value
	for n := 0; n < looked && len(found) < most && it.Next(&key); n++ {
		if text := key.String(); method.IsLiteral(key) && strings.HasPrefix(strings.TrimPrefix(text, "("), strings.TrimPrefix(prefix, "(")) {
			found = append(found, text)
		}
	}
	return found
}

// inString completes a string that is the argument for a parameter.
func (l *loop) inString(p place, function, param string) Completion {
	typed := p.text[p.inner:]
	prefix, ok := unquote(typed, p.quote, p.raw)
	if !ok {
		return Completion{}
	}
	if source := l.sourceFor(function, param); source != nil {
		c := Completion{From: p.inner}
		for _, text := range l.ask(func() []string { return source(prefix) }) {
			c.add(text, prefix, p)
		}
		return c
	}
	if param != "path" {
		return Completion{}
	}
	suffix := ""
	if function == "load" {
		suffix = ".star"
	}
	c := Completion{From: p.inner}
	for _, text := range l.ask(func() []string { return files(prefix, suffix) }) {
		c.add(text, prefix, p)
	}
	return c
}

// sourceFor is what completes a parameter; nil if there is none.
func (l *loop) sourceFor(function, param string) func(string) []string {
	function = function[strings.LastIndexByte(function, '.')+1:]
	if source := l.cfg.Sources[function+"."+param]; source != nil {
		return source
	}
	return l.cfg.Sources[param]
}

// add takes a text that may stand in the string at the cursor.
func (c *Completion) add(text, prefix string, p place) {
	quoted, ok := quote(text, p.quote, p.raw)
	if !ok || !strings.HasPrefix(text, prefix) {
		return
	}
	end := p.quote
	if strings.HasSuffix(text, "/") { // a directory: it goes on
		end = ""
	}
	c.Candidates = append(c.Candidates, Candidate{Text: quoted, End: end})
}

// quote is how a text is written between quotation marks. There may be none for a raw string.
func quote(text, mark string, raw bool) (string, bool) {
	quoted := starlark.String(text).String()
	quoted = quoted[1 : len(quoted)-1]
	if mark[0] == '\'' {
		quoted = strings.ReplaceAll(quoted, `'`, `\'`)
	}
	return quoted, !raw || quoted == text
}

// unquote is the text of an unfinished string.
func unquote(typed, mark string, raw bool) (string, bool) {
	if raw || !strings.Contains(typed, `\`) {
		return typed, true
	}
	v, err := starlark.EvalOptions(runtime.ChunkOptions(), &starlark.Thread{}, "", mark+typed+mark, nil)
	text, ok := v.(starlark.String)
	return string(text), err == nil && ok
}

// files are those whose path begins with prefix: directories with a slash, and what ends in suffix. Hidden ones are
// left out unless they are asked for.
func files(prefix, suffix string) []string {
	const most = 10_000
	dir, base := filepath.Split(prefix)
	at := dir
	if at == "" {
		at = "."
	}
	f, err := os.Open(at)
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, _ := f.ReadDir(most)
	var found []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || name[0] == '.' && base == "" {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&os.ModeSymlink != 0 {
			st, err := os.Stat(filepath.Join(at, name))
			isDir = err == nil && st.IsDir()
		}
		switch {
		case isDir:
			found = append(found, dir+name+"/")
		case strings.HasSuffix(name, suffix):
			found = append(found, dir+name)
		}
	}
	return found
}
