package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestFlagsAreNamed finds every flag, and every word that one takes, in the help, the manual and the three completion
// scripts.
func TestFlagsAreNamed(t *testing.T) {
	for where, text := range map[string]string{
		"help": usage(), "manual": manual(), "bash": completion("bash"), "zsh": completion("zsh"), "fish": completion("fish"),
	} {
		flagSet(&options{}).VisitAll(func(f *pflag.Flag) {
			want := append([]string{"--" + f.Name}, f.Annotations[choicesKey]...)
			if f.Shorthand != "" {
				want = append(want, "-"+f.Shorthand)
			}
			for _, word := range want {
				if where == "manual" {
					word = roff(word)
				}
				if where == "fish" && strings.HasPrefix(word, "-") { // it has the names without the dashes
					word = map[bool]string{true: " -l ", false: " -s "}[word[1] == '-'] + strings.TrimLeft(word, "-")
				}
				if !strings.Contains(text, word) {
					t.Errorf("%s does not name %s of --%s", where, word, f.Name)
				}
			}
		})
	}
}

// inShells runs a test in each shell that is there, with its completion script in a file.
func inShells(t *testing.T, test func(t *testing.T, shell, script string)) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip(err)
			}
			dir := t.TempDir()
			t.Chdir(dir)
			script := filepath.Join(dir, "_bpfsh")
			for name, text := range map[string]string{script: completion(shell), "expire.star": "", "notes.txt": "", "two words.star": ""} {
				if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			test(t, shell, script)
		})
	}
}

// TestCompletionParses has each shell read its script.
func TestCompletionParses(t *testing.T) {
	inShells(t, func(t *testing.T, shell, script string) {
		if out, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestCompletion completes command lines in bash and in fish. zsh does it only for somebody at a terminal.
func TestCompletion(t *testing.T) {
	inShells(t, func(t *testing.T, shell, script string) {
		for _, test := range []struct {
			line string // words, the last to be completed
			want string // some of what is offered
			not  string // and of what is not
		}{
			{"bpfsh --en", "--engine", "--format"},
			{"bpfsh --engine m", "memory", "kernel"},
			{"bpfsh --engine memory --fo", "--format", "--engine"},
			{"bpfsh --engine memory --format js", "json jsonl", "csv"},
			{"bpfsh -c x --col", "--color", ""},
			{"bpfsh -q ex", "expire.star", "notes.txt"},
			{"bpfsh tw", "two_words.star", "words.star"},
			{"bpfsh --timeout expire.star --fo", "--format", ""}, // it is the time
			{"bpfsh expire.star --fo", "", "--format"},           // the script's own
			{"bpfsh - --fo", "", "--format"},
			{"bpfsh --engine = m", "memory", "kernel"}, // bash takes --engine=m for three words
			{"bpfsh --engine = memory --fo", "--format", "--engine"},
		} {
			if strings.Contains(test.line, " = ") && shell != "bash" {
				continue
			}
			var cmd *exec.Cmd
			switch shell {
			case "bash":
				cmd = exec.Command("bash", "--norc", "-c", `compopt() { :; }; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bpfsh; printf '%s\n' "${COMPREPLY[@]}"`)
				cmd.Args = append(append(cmd.Args, script), strings.Fields(test.line)...)
			case "fish":
				cmd = exec.Command("fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, test.line)
				cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			default:
				t.Skip("zsh completes only at a terminal")
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var offered []string
			for line := range strings.Lines(string(out)) {
				word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
				word = strings.ReplaceAll(word, `\ `, " ") // fish has it as it is typed
				offered = append(offered, strings.ReplaceAll(word, " ", "_"))
			}
			for _, word := range strings.Fields(test.want) {
				if !slices.Contains(offered, word) {
					t.Errorf("%s: offered are %q, want %s too", test.line, offered, word)
				}
			}
			for _, word := range strings.Fields(test.not) {
				if slices.Contains(offered, word) {
					t.Errorf("%s: offered is %s", test.line, word)
				}
			}
		}
	})
}

// TestRoff keeps troff from taking a text for a request, or a dash for a hyphen.
func TestRoff(t *testing.T) {
	for text, want := range map[string]string{".time 'x'": `\&.time \(aqx\(aq`, `a\n --b`: `a\en \-\-b`} {
		if got := roff(text); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
}

// TestManual names everything that a script can call and that the prompt understands, and is a manual page.
func TestManual(t *testing.T) {
	text := manual()
	for _, topic := range topics() {
		for _, e := range topic.Entries {
			if tag := "\n.B " + roff(nameOf(e)) + "\n"; !strings.Contains(text, tag) {
				t.Errorf("the manual has no %s of %s", nameOf(e), topic.Name)
			}
		}
	}
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("mandoc", "-Tlint", "-Wwarning")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
