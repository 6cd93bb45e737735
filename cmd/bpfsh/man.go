package main

import (
	"fmt"
	"strings"

	"bpfsh/builtins"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/repl"

	"github.com/spf13/pflag"
)

// examples are the command lines that help begins with.
var examples = []struct{ command, text string }{
	{"bpfsh", "a prompt"},
	{`bpfsh -c 'open("flows").count()'`, "run a line, and print its value"},
	{"bpfsh expire.star flows --older 5m", "run a script; its words are in args"},
	{"some-command | bpfsh -", "run what comes from standard input"},
	{"bpfsh -i setup.star", "run a script, then a prompt with its names"},
	{"bpfsh --golden testdata/*.star", "run scripts and compare with what they should print"},
}

// statuses are the exit statuses.
var statuses = []struct{ status, text string }{
	{"0", "done"},
	{"1", "the script failed"},
	{"2", "bad usage, or no such file"},
	{"3", "bpf() is not permitted or not there"},
	{"N", "from exit(N)"},
}

var synopses = []string{"[flags]", "[flags] FILE [ARG...]", "[flags] -c CODE [ARG...]", "[flags] - [ARG...]", "--golden [--update] FILE..."}

// written is when the parts of the manual that are not made from rows were last changed.
const written = "2026-11-27"

// manual is the manual page, in the macros of man(7). It is made from what the flags, the prompt's commands and the
// functions say of themselves.
func manual() string {
	var p page
	p.line(".TH BPFSH 8 " + written)
	p.section("NAME", `bpfsh \- a shell for eBPF maps`)
	p.line(".SH SYNOPSIS")
	for i, s := range synopses {
		p.line(".B bpfsh")
		p.text(s)
		if i+1 < len(synopses) {
			p.line(".br")
		}
	}
	p.line(".SH DESCRIPTION")
	p.text("A map is a value, each operation of the kernel on it is a method, and the language around them is Starlark, a small Python. " +
		"Without FILE and code bpfsh gives a prompt if standard input is a terminal, and else runs what comes from it. " +
		"Results go to standard output, all else to standard error. Flags end at the script's name: what follows is the script's, in args.")
	p.line(".SH OPTIONS")
	flagSet(&options{}).VisitAll(func(f *pflag.Flag) {
		value, text := describe(f)
		p.item(strings.Join(spellings(f), ", ")+" "+value, text)
	})
	p.line(".SH EXAMPLES")
	for _, e := range examples {
		p.item(e.command, e.text)
	}
	for _, topic := range topics() {
		p.line(".SH " + roff(strings.ToUpper(topic.Name)))
		p.text(topic.Doc)
		for _, e := range topic.Entries {
			p.item(nameOf(e), strings.ReplaceAll(e.Doc, "\n", " "))
			if e.Example != "" {
				p.line(".IP\n.nf")
				for line := range strings.Lines(e.Example) {
					p.text(strings.TrimSuffix(line, "\n"))
				}
				p.line(".fi")
			}
		}
	}
	p.line(".SH EXIT STATUS")
	for _, s := range statuses {
		p.item(s.status, s.text)
	}
	p.text("A signal that ends the script ends bpfsh.")
	p.line(".SH ENVIRONMENT")
	for _, v := range [][2]string{
		{"NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE", "No colours if the first is set, colours everywhere if one of the others is; --color has the last word."},
		{"LC_ALL, LC_CTYPE, LANG", "Whether the terminal knows more than ASCII."},
		{"TERM, BPFSH_BASIC", "A plain prompt, without an editor, if TERM is dumb or BPFSH_BASIC is set."},
		{"BPFSH_INIT, BPFSH_HISTORY", "Other files than those below."},
		{"VISUAL, EDITOR", "What .edit starts."},
	} {
		p.item(v[0], v[1])
	}
	p.line(".SH FILES")
	p.item("~/.config/bpfsh/init.star", "Runs before the prompt; in XDG_CONFIG_HOME if that is set. For root only if nobody else can write it.")
	p.item("~/.local/state/bpfsh/history", "What was entered, for its owner alone; in XDG_STATE_HOME if that is set.")
	p.section("SEE ALSO", `.BR bpf (2), .BR bpf\-helpers (7), .BR bpftool\-map (8)`)
	return p.String()
}

// topics are what help lists: the prompt's own commands first.
func topics() []method.Topic {
	return append(append([]method.Topic{repl.Topic()}, builtins.Topics()...), runtime.Topics()...)
}

// nameOf is how an entry is written.
func nameOf(e method.Entry) string {
	switch e.Kind {
	case "command":
		return strings.TrimSpace(e.Name + " " + e.Params)
	case "method", "attribute":
		return "." + e.Signature()
	default:
		return e.Signature()
	}
}

// page is a text for troff.
type page struct{ strings.Builder }

func (p *page) line(text string) { p.WriteString(text + "\n") }

func (p *page) text(text string) { p.line(roff(text)) }

func (p *page) section(name, text string) {
	p.line(".SH " + name + "\n" + strings.ReplaceAll(text, ", .", " ,\n."))
}

// item is a paragraph under a tag.
func (p *page) item(tag, text string) {
	fmt.Fprintf(p, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(tag)), roff(text))
}

// roff keeps troff from obeying a text.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
