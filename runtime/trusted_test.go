package runtime

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTrusted(t *testing.T) {
	const alice, bob, staff = 1000, 1001, 50
	root := writers{0, 0, 0o644}
	for _, test := range []struct {
		name       string
		file, from writers
		sudo       string
		want       string // "": it is
	}{
		{"root's own", root, root, "", ""},
		{"root's group may write it", writers{0, 0, 0o664}, root, "", ""},
		{"another's", writers{bob, bob, 0o600}, root, "", "x belongs to user 1001, and root would run what they write"},
		{"of the owner of what loads it", writers{alice, alice, 0o644}, writers{alice, alice, 0o644}, "", ""},
		{"root's, for another's", root, writers{alice, alice, 0o644}, "", ""},
		{"another's, for another's", writers{bob, bob, 0o644}, writers{alice, alice, 0o644}, "", "x belongs to user 1001"},
		{"of who called sudo, at the prompt", writers{alice, alice, 0o644}, writers{}, "1000", ""},
		{"another's than who called sudo", writers{bob, bob, 0o644}, writers{}, "1000", "x belongs to user 1001"},
		{"for a group", writers{0, staff, 0o664}, root, "", "x can be written by others (mode 0664), and root would run it"},
		{"for the group that can write what loads it", writers{0, staff, 0o664}, writers{0, staff, 0o664}, "", ""},
		{"for the group of what loads it, which cannot write that", writers{0, staff, 0o664}, writers{0, staff, 0o644}, "", "x can be written by others (mode 0664)"},
		{"for another group", writers{0, bob, 0o664}, writers{0, staff, 0o664}, "", "x can be written by others (mode 0664)"},
		{"for all", writers{0, 0, 0o646}, writers{0, 0, 0o664}, "", "x can be written by others (mode 0646)"},
		{"for all, as what loads it", writers{bob, bob, 0o666}, writers{0, 0, 0o646}, "", ""},
	} {
		err := trusted("x", test.file, test.from, test.sudo)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestLoadOfOthers runs nothing, as root, that somebody can write who cannot write what loads or runs it.
func TestLoadOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	t.Setenv("SUDO_UID", "")
	dir := t.TempDir()
	main, lib, pipe := filepath.Join(dir, "main.star"), filepath.Join(dir, "lib.star"), filepath.Join(dir, "pipe.star")
	const text = "x = print('it ran')\n"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		code      string
		main, lib int // their owners
		want      string
	}{
		{"load", "load('lib.star', 'x')", 0, 0, ""},
		{"load of another's", "load('lib.star', 'x')", 0, 12345, lib + " belongs to user 12345"},
		{"load by its owner", "load('lib.star', 'x')", 12345, 12345, ""},
		{"run", "exit(run('" + lib + "'))", 0, 0, ""},
		{"run of another's", "run('" + lib + "')", 0, 12345, "run: " + lib + " belongs to user 12345"},
		{"run by its owner", "exit(run('" + lib + "'))", 12345, 12345, ""},
		{"run of another's behind a function", "catch(lambda: run('" + lib + "'))[1] == None or fail('caught')", 0, 12345, "caught"},
		{"run of another's when all is done", "defer(run, '" + lib + "')", 12345, 12345, lib + " belongs to user 12345"},
		{"a pipe", "load('pipe.star', 'x')", 0, 0, pipe + " is no regular file"},
		{"none", "load('none.star', 'x')", 0, 0, "no such file or directory"},
		{"none to run", "run('none.star')", 0, 0, "run: open none.star: no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for path, owner := range map[string]int{main: test.main, lib: test.lib} {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Chown(path, owner, owner); err != nil {
					t.Fatal(err)
				}
			}
			var out, report bytes.Buffer
			s := New(Config{Stdout: &out, Stderr: &report})
			s.Report(s.Run(main, []byte(test.code)))
			s.Report(s.Finish())
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			if ran := out.Len() > 0; ran != (test.want == "") || !strings.Contains(report.String(), test.want) {
				t.Errorf("it ran: %t, reported: %s, want %q", ran, &report, test.want)
			}
		})
	}
}
