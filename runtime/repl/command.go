package repl

import (
	"errors"
	"fmt"
	"strings"

	"bpfsh/runtime/method"
)

// command is what a line at the prompt asks for that is no Starlark. There is none of it in scripts.
type command struct {
	name string // with its dot
	// params tell what may follow, for help and for completion: EXPR, FILE, or the words to choose from. What is in
	// brackets may be left out.
	params string
	doc    string
	run    func(l *loop, rest string) error
}

// commands are all of them, as .help lists them.
func commands() []command {
	return []command{
		{".edit", "", "Edit the last statement in $EDITOR, and run it.", (*loop).edit},
		{".help", "[COMMAND]", "List these commands, or explain one. help() lists the functions.", (*loop).helpCommand},
		{".mode", "[table|json|jsonl|csv|tsv|markdown]", "Choose the format of values, or say which it is.", (*loop).mode},
		{".o", "[FILE]", "Write the next outputs to a file, up to .o alone.", (*loop).output},
		{".quit", "", "Leave, as exit() and Ctrl-D do.", (*loop).quit},
		{".read", "FILE", "Run a file. Its names stay.", (*loop).readFile},
		{".save", "FILE", "Write what was entered, and did not fail, as a script.", (*loop).save},
		{".time", "EXPR", "Run a statement, and say how long it took.", (*loop).time},
		{".timing", "[on|off]", "Say how long each statement takes.", (*loop).timing},
		{".watch", "[SECONDS] EXPR", "Run a statement again and again, up to Ctrl-C.", (*loop).watch},
		{"!", "COMMAND", "Run a command of the system's shell.", (*loop).system},
	}
}

// Topic lists what the prompt itself understands.
func Topic() method.Topic {
	t := method.Topic{Name: "prompt", Doc: "What the prompt understands beside Starlark."}
	for _, c := range commands() {
		t.Entries = append(t.Entries, method.Entry{Kind: "command", Name: c.name, Params: c.params, Doc: c.doc})
	}
	t.Entries = append(t.Entries, method.Entry{Kind: "command", Name: "NAME?", Doc: "Explain a value, a method (m.update?) or a topic."})
	return t
}

// cutCommand takes a line apart that begins with a command. Such a line is no Starlark, where only a number can
// begin with a dot.
func cutCommand(line string) (c command, rest string, ok bool) {
	name, rest, ok := cutName(line)
	if !ok {
		return command{}, "", false
	}
	for _, c := range commands() {
		if c.name == name {
			return c, rest, true
		}
	}
	return command{}, "", false
}

// cutName is cutCommand for a command that may not exist.
func cutName(line string) (name, rest string, ok bool) {
	line = strings.TrimLeft(line, " ")
	if rest, ok := strings.CutPrefix(line, "!"); ok {
		return "!", strings.TrimLeft(rest, " "), true
	}
	name, ok = strings.CutPrefix(line, ".")
	if !ok || name != "" && !isNameStart(rune(name[0])) {
		return "", "", false
	}
	name, rest, _ = strings.Cut(line, " ")
	return name, strings.TrimLeft(rest, " "), true
}

// isCommand says whether what was entered is for the prompt itself. Of several lines none is.
func isCommand(line string) bool {
	if strings.Contains(line, "\n") {
		return false
	}
	_, _, ok := cutName(line)
	if !ok {
		_, ok = cutQuestion(line)
	}
	return ok
}

// command runs a line that is a command.
func (l *loop) command(line string) error {
	if question, ok := cutQuestion(line); ok {
		return l.explain(question)
	}
	name, rest, _ := cutName(line)
	c, _, ok := cutCommand(line)
	if !ok {
		return l.unknown(strings.TrimSpace(name))
	}
	rest = strings.TrimSpace(rest)
	switch {
	case c.params == "" && rest != "":
		return fmt.Errorf("%s takes nothing behind it", c.name)
	case c.params != "" && !strings.HasPrefix(c.params, "[") && rest == "":
		return c.usage()
	}
	return c.run(l, rest)
}

func (c command) usage() error {
	if c.name == "!" {
		return errors.New("!COMMAND: what is to be run?")
	}
	return fmt.Errorf("want %s %s", c.name, c.params)
}

func (l *loop) unknown(name string) error {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return fmt.Errorf("unknown command %s%s; .help lists them", name, method.DidYouMean(name, names))
}

func (l *loop) helpCommand(rest string) error {
	if rest == "" {
		var lines []string
		for _, c := range commands() {
			usage := c.name + " " + c.params
			if len(c.params) > 20 {
				usage = c.name + " FORMAT"
			}
			lines = append(lines, fmt.Sprintf("%-21s  %s", strings.Replace(usage, "! ", "!", 1), c.doc))
		}
		lines = append(lines, fmt.Sprintf("%-21s  %s", "NAME?", "Explain a value, a function or a method: m? m.update?"))
		l.session.Print(strings.Join(lines, "\n"))
		return nil
	}
	c, _, ok := cutCommand(rest)
	if !ok {
		c, _, ok = cutCommand("." + rest)
	}
	if !ok {
		return l.unknown(rest)
	}
	l.session.Print(strings.TrimSpace(c.name+" "+c.params) + "\n  " + c.doc)
	return nil
}

// completeCommand completes a line that begins with a command, or with a dot.
func (l *loop) completeCommand(before string) (Completion, bool) {
	name, rest, ok := cutName(before)
	if !ok {
		return Completion{}, false
	}
	at := len(before) - len(rest)
	if name != "!" && !strings.Contains(strings.TrimLeft(before, " "), " ") {
		c := Completion{From: strings.Index(before, ".")}
		for _, row := range commands() {
			if strings.HasPrefix(row.name, name) && row.name != "!" {
				end := ""
				if row.params != "" {
					end = " "
				}
				c.Candidates = append(c.Candidates, Candidate{Text: row.name, Doc: row.doc, End: end})
			}
		}
		return c, true
	}
	c, _, ok := cutCommand(before)
	params := strings.Trim(c.params, "[]")
	switch {
	case !ok || params == "":
	case strings.HasSuffix(params, "EXPR"):
		if first, expr, ok := strings.Cut(rest, " "); ok && c.name == ".watch" && isSeconds(first) {
			rest = expr
			at = len(before) - len(rest)
		}
		completion := l.completeStatement(rest)
		completion.From += at
		return completion, true
	case params == "FILE":
		if n := len(rest); n > 0 && (rest[0] == '"' || rest[0] == '\'') { // the name behind a quotation mark
			at, rest = at+1, rest[1:]
		}
		return wordCompletion(at, rest, l.ask(func() []string { return files(rest, "") })), true
	case params == "COMMAND" && c.name == ".help":
		var names []string
		for _, row := range commands() {
			names = append(names, row.name)
		}
		return wordCompletion(at, rest, names), true
	case strings.Contains(params, "|"):
		return wordCompletion(at, rest, strings.Split(params, "|")), true
	}
	return Completion{From: len(before)}, true
}

func wordCompletion(at int, typed string, words []string) Completion {
	c := Completion{From: at}
	for _, word := range words {
		if strings.HasPrefix(word, typed) && harmless(word) == word {
			c.Candidates = append(c.Candidates, Candidate{Text: word})
		}
	}
	return c
}
