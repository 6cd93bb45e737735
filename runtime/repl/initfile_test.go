package repl

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bpfsh/runtime"
)

func TestInit(t *testing.T) {
	home := t.TempDir()
	os.Chmod(home, 0o755)
	dir := filepath.Join(home, ".config", "bpfsh")
	path := filepath.Join(dir, "init.star")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": home}
	getenv := func(name string) string { return env[name] }
	run := func() (*runtime.Session, error) {
		s := runtime.New(runtime.Config{Stdout: &bytes.Buffer{}})
		return s, Init(s, getenv)
	}
	if _, err := run(); err != nil {
		t.Errorf("without a file: %v", err)
	}
	env["BPFSH_INIT"] = filepath.Join(home, "other.star")
	if _, err := run(); err == nil {
		t.Error("a file that BPFSH_INIT names and that is not there is no error")
	}
	delete(env, "BPFSH_INIT")
	if err := os.WriteFile(path, []byte("answer = 42\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := run()
	if err != nil || s.Globals()["answer"] == nil {
		t.Errorf("answer is %v, error %v", s.Globals()["answer"], err)
	}
	os.WriteFile(path, []byte("answer = 42\n1 // 0\n"), 0o644)
	if s, err := run(); err == nil || !strings.Contains(s.Explain(err), path+":2:3: floored division by zero") {
		t.Errorf("an error in the file is %v", err)
	}
	for _, env := range []map[string]string{{}, {"HOME": "relative"}} {
		if path, _ := initPath(func(name string) string { return env[name] }); path != "" {
			t.Errorf("%v: the path is %s", env, path)
		}
	}
	if path, _ := initPath(func(name string) string { return map[string]string{"XDG_CONFIG_HOME": "/x", "HOME": home}[name] }); path != "/x/bpfsh/init.star" {
		t.Errorf("with XDG_CONFIG_HOME the path is %s", path)
	}
}

// TestInitRefuses makes files that root must not run.
func TestInitRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	const other = 12345
	for _, test := range []struct {
		name string
		make func(dir, path string) error
		want string // "": it is run
	}{
		{"root's own", func(dir, path string) error { return nil }, ""},
		{"another's file", func(dir, path string) error { return os.Chown(path, other, 0) }, "init.star belongs to user 12345"},
		{"a file for the group", func(dir, path string) error { return os.Chmod(path, 0o664) }, "init.star can be written by others (mode 0664)"},
		{"a file for all", func(dir, path string) error { return os.Chmod(path, 0o646) }, "init.star can be written by others (mode 0646)"},
		{"another's directory", func(dir, path string) error { return os.Chown(dir, other, 0) }, "bpfsh belongs to user 12345"},
		{"a directory for the group", func(dir, path string) error { return os.Chmod(dir, 0o775) }, "bpfsh can be written by others (mode 0775)"},
		{"a sticky directory for all", func(dir, path string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, ""},
		{"a directory above", func(dir, path string) error { return os.Chown(filepath.Dir(dir), other, 0) }, "belongs to user 12345"},
		{"a sticky directory above", func(dir, path string) error { return os.Chmod(filepath.Dir(dir), 0o777|os.ModeSticky) }, ""},
		{"a link into another's directory", func(dir, path string) error {
			theirs := filepath.Join(filepath.Dir(dir), "theirs")
			if err := os.Mkdir(theirs, 0o755); err != nil {
				return err
			}
			if err := os.Rename(path, filepath.Join(theirs, "x.star")); err != nil {
				return err
			}
			if err := os.Symlink(filepath.Join(theirs, "x.star"), path); err != nil {
				return err
			}
			return os.Chown(theirs, other, 0)
		}, "theirs belongs to user 12345"},
		{"a pipe", func(dir, path string) error { os.Remove(path); return syscall.Mkfifo(path, 0o600) }, "is no regular file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := t.TempDir()
			os.Chmod(config, 0o755)
			dir := filepath.Join(config, "bpfsh")
			os.Mkdir(dir, 0o755)
			os.Chmod(dir, 0o755)
			path := filepath.Join(dir, "init.star")
			if err := os.WriteFile(path, []byte("ran = True\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			os.Chmod(path, 0o644)
			if err := test.make(dir, path); err != nil {
				t.Fatal(err)
			}
			s := runtime.New(runtime.Config{})
			err := Init(s, func(name string) string { return map[string]string{"XDG_CONFIG_HOME": config}[name] })
			ran := s.Globals()["ran"] != nil
			if test.want == "" && (err != nil || !ran) || test.want != "" && (err == nil || ran || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("ran: %t, error: %v, want %q", ran, err, test.want)
			}
		})
	}
}

// TestInitLoads holds what the file loads or runs to the same rules, and nothing that is loaded later.
func TestInitLoads(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only for root are there rules")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path, lib := filepath.Join(dir, "init.star"), filepath.Join(dir, "lib.star")
	if err := os.WriteFile(lib, []byte("x = 5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{"load('lib.star', 'x')\n", 0o644, ""},
		{"load('lib.star', 'x')\n", 0o666, "can be written by others"},
		{"run('" + lib + "')\n", 0o644, ""},
		{"run('" + lib + "')\n", 0o666, "can be written by others"},
	} {
		mode, want := test.mode, test.want
		if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(lib, mode); err != nil {
			t.Fatal(err)
		}
		s := runtime.New(runtime.Config{Stdout: &bytes.Buffer{}})
		err := Init(s, func(name string) string { return map[string]string{"BPFSH_INIT": path}[name] })
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s, mode %o: %v, want %q", test.text, mode, err, want)
		}
		later := filepath.Join(dir, "later.star") // which the same can write
		if err := errors.Join(os.WriteFile(later, nil, mode), os.Chmod(later, mode)); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(later, []byte("load('lib.star', 'x')")); err != nil {
			t.Errorf("mode %o: a script that loads it: %v", mode, err)
		}
	}
}
