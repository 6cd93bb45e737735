package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsOfScripts runs each command line of the README, the help (the manual has the same) and the scripts' own comments that names
// one of scripts, in a shell, on the memory engine: the script takes its words. That there are no maps of those names there is
// not the command's fault.
func TestCommandsOfScripts(t *testing.T) {
	real, err := exec.LookPath("bpfsh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	paths, err := filepath.Glob("../../scripts/*.star")
	if err != nil {
		t.Fatal(err)
	}
	scripts := map[string]bool{}
	if err := os.Mkdir(filepath.Join(dir, "scripts"), 0o777); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sources := map[string]string{"help": usage(), "README": scriptText(t, "../README.md")}
	for _, path := range paths {
		name := filepath.Base(path)
		text := scriptText(t, name)
		scripts[name], sources[name] = true, text
		put(name, text) // "each is one file, to be copied to where it is needed"
		put("scripts/"+name, text)
	}
	delete(scripts, "tour.star") // takes no words, and has a golden file of its own
	put("drop.txt", "10.0.0.0/8\n")
	put("bpfsh", "#!/bin/sh\n"+real+` --engine memory --no-mount "$@" 2>> said; echo "$?" >> status`+"\n")
	put("ssh", "#!/bin/sh\nshift\neval \"$*\"\n")
	put("clush", "#!/bin/sh\nwhile [ \"$1\" != bpfsh ]; do shift; done\neval \"$*\"\n")

	nothing := regexp.MustCompile(`no such (map|pin|file)`)
	found := map[string]int{}
	for where, text := range sources {
		for _, command := range commandsIn(text, scripts) {
			t.Run(where+"/"+command, func(t *testing.T) {
				found[where]++
				for _, name := range []string{"said", "status"} {
					os.Remove(filepath.Join(dir, name))
				}
				cmd := exec.Command("sh", "-c", "host=web1; "+command)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				out, err := cmd.CombinedOutput()
				said, _ := os.ReadFile(filepath.Join(dir, "said")) // there is none if it said nothing
				status, ran := os.ReadFile(filepath.Join(dir, "status"))
				if s := strings.TrimSpace(string(status)); ran != nil || s != "0" && (s != "1" || !nothing.Match(said)) {
					t.Errorf("status %s, %v, %v\n%s%s", s, ran, err, said, out)
				}
			})
		}
	}
	for where := range sources {
		if found[where] == 0 && where != "tour.star" {
			t.Errorf("%s has no command that names a script", where)
		}
	}
}

var (
	comment  = regexp.MustCompile(`\s{2,}.*`)
	fileMade = regexp.MustCompile(`> /\S+`)
	called   = regexp.MustCompile("run\\((\"[^)`]*)\\)")
)

// commandsIn are the command lines in a text that name one of the scripts, and what calls of run in it would be as one.
func commandsIn(text string, scripts map[string]bool) (commands []string) {
	names := regexp.MustCompile(`[a-z]+\.star`)
	for line := range strings.Lines(text) {
		shell, indented := strings.CutPrefix(strings.TrimPrefix(line, "#"), "  ")
		if !indented {
			shell = ""
		}
		shell = strings.TrimPrefix(strings.TrimSpace(shell), "$ ")
		shell = fileMade.ReplaceAllString(comment.ReplaceAllString(shell, ""), "> made")
		if !strings.Contains(shell, "bpfsh ") {
			shell = ""
		}
		if call := called.FindStringSubmatch(line); call != nil {
			shell = "bpfsh " + strings.ReplaceAll(call[1], `", "`, `" "`)
		}
		if scripts[names.FindString(shell)] {
			commands = append(commands, shell)
		}
	}
	return commands
}
