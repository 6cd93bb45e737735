package repl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"bpfsh/runtime"
)

// Init runs the user's own file in the session, before the first prompt: the one that BPFSH_INIT names, or
// bpfsh/init.star in the user's configuration directory. Its names stay. That there is none is no error, unless
// BPFSH_INIT names it. getenv answers for BPFSH_INIT, XDG_CONFIG_HOME and HOME; nil is os.Getenv.
//
// As root it runs no file that somebody else could write or replace: sudo may leave HOME as it was.
func Init(s *runtime.Session, getenv func(string) string) error {
	if getenv == nil {
		getenv = os.Getenv
	}
	path, named := initPath(getenv)
	if path == "" {
		return nil
	}
	text, err := readInit(path, os.Geteuid() == 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil
	case err != nil:
		return fmt.Errorf("the init file was not run: %w", err)
	}
	s.LoadBy(func(path, _ string) ([]byte, error) { return readInit(path, os.Geteuid() == 0) }) // it is as much root's code
	defer s.LoadBy(nil)
	return runText(s, path, text)
}

// initPath is "" if there is no place for such a file.
func initPath(getenv func(string) string) (path string, named bool) {
	if path := getenv("BPFSH_INIT"); path != "" {
		return path, true
	}
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", false
		}
		config = filepath.Join(home, ".config")
	}
	return filepath.Join(config, "bpfsh", "init.star"), false
}

// readInit reads the file. With strict it refuses one that is not root's alone, or could be replaced.
func readInit(path string, strict bool) ([]byte, error) {
	f, st, err := runtime.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if strict {
		if err := ownedByRoot(path, st, false); err != nil {
			return nil, err
		}
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		for _, p := range []string{path, real} {
			if err := safeAbove(p); err != nil {
				return nil, err
			}
		}
	}
	return io.ReadAll(f)
}

// safeAbove looks at the directories that a file is in. In one above the file's own others may write, if it is
// sticky as /tmp is: they cannot replace there what is not theirs.
func safeAbove(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for dir, own := filepath.Dir(path), true; ; dir, own = filepath.Dir(dir), false {
		st, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if err := ownedByRoot(dir, st, !own && st.Mode()&os.ModeSticky != 0); err != nil {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// ownedByRoot is an error if another user than root could write.
func ownedByRoot(path string, st os.FileInfo, shared bool) error {
	if uid := st.Sys().(*syscall.Stat_t).Uid; uid != 0 {
		return fmt.Errorf("%s belongs to user %d, and root would run what they write (-X leaves it out)", path, uid)
	}
	if mode := st.Mode().Perm(); mode&0o022 != 0 && !shared {
		return fmt.Errorf("%s can be written by others (mode %04o), and root would run it (chmod go-w; -X leaves it out)", path, mode)
	}
	return nil
}
