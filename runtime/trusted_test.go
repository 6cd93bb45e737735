package runtime

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTrusts(t *testing.T) {
	const alice, bob, staff = 1000, 1001, 50
	root := writers{mode: 0o644}
	for _, test := range []struct {
		name       string
		file, from writers
		want       string // "": it is
	}{
		{"root's own", root, root, ""},
		{"for root's group", writers{mode: 0o664}, root, "x can be written by others (mode 0664), and root would run it"},
		{"for root's group, as what loads it", writers{mode: 0o664}, writers{mode: 0o664}, ""},
		{"and for others, by a list", writers{mode: 0o664, listed: true}, writers{mode: 0o664}, "x can be written by others (mode 0664)"},
		{"others may read it, by a list", writers{mode: 0o644, listed: true}, root, ""},
		{"another's", writers{owner: bob, group: bob, mode: 0o600}, root, "x belongs to user 1001, and root would run what they write"},
		{"of the owner of what loads it", writers{owner: alice, mode: 0o644}, writers{owner: alice, mode: 0o644}, ""},
		{"root's, for another's", root, writers{owner: alice, mode: 0o644}, ""},
		{"another's, for another's", writers{owner: bob, mode: 0o644}, writers{owner: alice, mode: 0o644}, "x belongs to user 1001"},
		{"for a group", writers{group: staff, mode: 0o664}, root, "x can be written by others (mode 0664)"},
		{"for the group that can write what loads it", writers{group: staff, mode: 0o664}, writers{group: staff, mode: 0o664}, ""},
		{"for the group of what loads it, which cannot write that", writers{group: staff, mode: 0o664}, writers{group: staff, mode: 0o644}, "x can be written by others (mode 0664)"},
		{"for another group", writers{group: bob, mode: 0o664}, writers{group: staff, mode: 0o664}, "x can be written by others (mode 0664)"},
		{"for all", writers{mode: 0o646}, writers{mode: 0o664}, "x can be written by others (mode 0646)"},
		{"for all, as what loads it", writers{owner: bob, mode: 0o666}, writers{mode: 0o646}, ""},
		{"a directory for all", writers{mode: 0o777 | fs.ModeDir}, root, "x can be written by others (mode 0777)"},
		{"a sticky directory for all", writers{mode: 0o777 | fs.ModeDir | fs.ModeSticky}, root, ""},
		{"a sticky file for all", writers{mode: 0o777 | fs.ModeSticky}, root, "x can be written by others (mode 0777)"},
		{"another's sticky directory", writers{owner: bob, mode: 0o777 | fs.ModeDir | fs.ModeSticky}, root, "x belongs to user 1001"},
		{"a link", writers{mode: 0o777 | fs.ModeSymlink}, root, ""},
		{"another's link", writers{owner: bob, mode: 0o777 | fs.ModeSymlink}, root, "x belongs to user 1001"},
	} {
		err := loader{writers: test.from}.trusts("x", test.file)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestLoader takes who called sudo for who has typed what is no file, and for nobody else.
func TestLoader(t *testing.T) {
	t.Setenv("SUDO_UID", "1000")
	for name, owner := range map[string]uint32{"<prompt>": 1000, "<stdin>": 1000, "": 0, "none.star": 0} {
		if l := loaderOf(name); l.owner != owner || l.dir != "" {
			t.Errorf("%q: %+v, want owner %d", name, l, owner)
		}
	}
	t.Setenv("SUDO_UID", "")
	if l := loaderOf("<prompt>"); l.owner != 0 {
		t.Errorf("without sudo: %+v", l)
	}
}

// TestLoadOfOthers runs nothing, as root, that somebody can change who cannot change what loads or runs it.
func TestLoadOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	t.Setenv("SUDO_UID", "")
	const other = 12345
	give := func(path string) error { return os.Lchown(path, other, other) }
	for _, test := range []struct {
		name string
		code string
		make func(main, lib string) error // makes of it what is to be loaded
		want string                       // what is reported, of the library's name; "": it ran
	}{
		{"load", "load('sub/lib.star', 'x')", nil, ""},
		{"run", "exit(run('LIB'))", nil, ""},
		{"load of another's", "load('sub/lib.star', 'x')", func(_, lib string) error { return give(lib) }, "LIB belongs to user 12345"},
		{"load by its owner", "load('sub/lib.star', 'x')", func(main, lib string) error { return errors.Join(give(main), give(lib)) }, ""},
		{"run of another's", "run('LIB')", func(_, lib string) error { return give(lib) }, "run: LIB belongs to user 12345"},
		{"run by its owner", "exit(run('LIB'))", func(main, lib string) error { return errors.Join(give(main), give(lib)) }, ""},
		{"run of another's behind a function", "catch(lambda: run('LIB'))[1] == None or fail('caught')", func(_, lib string) error { return give(lib) }, "caught"},
		{"deferred run by its owner", "defer(run, 'LIB')", func(main, lib string) error { return errors.Join(give(main), give(lib)) }, ""},
		{"deferred run of another's", "defer(run, 'LIB')", func(_, lib string) error { return give(lib) }, "LIB belongs to user 12345"},
		{"another's directory", "load('sub/lib.star', 'x')", func(_, lib string) error { return give(filepath.Dir(lib)) }, "sub belongs to user 12345"},
		{"a directory for all", "load('sub/lib.star', 'x')", func(_, lib string) error { return os.Chmod(filepath.Dir(lib), 0o777) }, "sub can be written by others (mode 0777)"},
		{"the directory of both", "load('sub/lib.star', 'x')", func(main, _ string) error { return os.Chmod(filepath.Dir(main), 0o777) }, ""}, // where the one could be replaced too
		{"a link", "load('sub/lib.star', 'x')", func(_, lib string) error {
			return errors.Join(os.Rename(lib, lib+"2"), os.Symlink("../sub/./lib.star2", lib))
		}, ""},
		{"another's link", "load('sub/lib.star', 'x')", func(_, lib string) error {
			return errors.Join(os.Rename(lib, lib+"2"), os.Symlink(lib+"2", lib), give(lib))
		}, "LIB belongs to user 12345"},
		{"a link through another's directory", "load('sub/lib.star', 'x')", func(main, lib string) error {
			theirs := filepath.Join(filepath.Dir(main), "theirs")
			return errors.Join(os.Mkdir(theirs, 0o755), os.Rename(lib, theirs+"/lib.star"), os.Symlink(theirs+"/lib.star", lib), give(theirs))
		}, "theirs belongs to user 12345"},
		{"a link to itself", "load('sub/lib.star', 'x')", func(_, lib string) error { return errors.Join(os.Remove(lib), os.Symlink(lib, lib)) }, "too many levels of symbolic links"},
		{"a list of who may write", "load('sub/lib.star', 'x')", func(_, lib string) error { return errors.Join(os.Chmod(lib, 0o664), allow(lib, other)) }, "LIB can be written by others (mode 0664)"},
		{"what a process says of itself", "load('sub/lib.star', 'x')", func(_, lib string) error {
			return errors.Join(os.Remove(lib), os.Symlink("/proc/self/comm", lib))
		}, "x not found"},
		{"a pipe", "load('sub/lib.star', 'x')", func(_, lib string) error { return errors.Join(os.Remove(lib), syscall.Mkfifo(lib, 0o600)) }, "LIB is no regular file"},
		{"endless", "load('sub/lib.star', 'x')", func(_, lib string) error { return os.Truncate(lib, 1<<40) }, "LIB has 1099511627776 bytes"},
		{"none", "load('none.star', 'x')", nil, "no such file or directory"},
		{"none to run", "run('none.star')", nil, "run: open none.star: no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			main, lib := filepath.Join(dir, "main.star"), filepath.Join(dir, "sub", "lib.star")
			if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Dir(lib), 0o755), os.WriteFile(main, nil, 0o644), os.WriteFile(lib, []byte("x = print('it ran')\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
			if test.make != nil {
				if err := test.make(main, lib); errors.Is(err, syscall.EOPNOTSUPP) {
					t.Skip("the file system has no lists of who may write")
				} else if err != nil {
					t.Fatal(err)
				}
			}
			var out, report bytes.Buffer
			s := New(Config{Stdout: &out, Stderr: &report})
			s.Report(s.Run(main, []byte(strings.ReplaceAll(test.code, "LIB", lib))))
			s.Report(s.Finish())
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(test.want, "LIB", lib)
			if ran := out.Len() > 0; ran != (want == "") || !strings.Contains(report.String(), want) {
				t.Errorf("it ran: %t, reported: %s, want %q", ran, &report, want)
			}
		})
	}
}

// allow lets a user write a file, by a list of who may.
func allow(path string, user uint32) error {
	list := binary.LittleEndian.AppendUint32(nil, 2) // the version
	for _, entry := range []struct {
		tag, may uint16
		id       uint32
	}{{1, 6, 1<<32 - 1}, {2, 6, user}, {4, 4, 1<<32 - 1}, {16, 6, 1<<32 - 1}, {32, 4, 1<<32 - 1}} {
		list = binary.LittleEndian.AppendUint16(list, entry.tag)
		list = binary.LittleEndian.AppendUint16(list, entry.may)
		list = binary.LittleEndian.AppendUint32(list, entry.id)
	}
	return syscall.Setxattr(path, "system.posix_acl_access", list, 0)
}
