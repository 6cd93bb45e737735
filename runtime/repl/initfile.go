package repl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	text, err := runtime.ReadTrusted(path, "")
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil
	case err != nil:
		return fmt.Errorf("the init file was not run (-X leaves it out): %w", err)
	}
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
