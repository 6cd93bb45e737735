package runtime

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// OpenRegular opens a file that ends: a pipe or a device is refused, and not waited for. st is of what is opened,
// whatever becomes of the name.
func OpenRegular(path string) (f *os.File, st fs.FileInfo, err error) {
	f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, st, nil
}

// readTrusted reads a file for the one named from, which loads or runs it. As root it refuses one that others can write
// than those who can write from: they would have root's rights.
func readTrusted(path, from string) ([]byte, error) {
	f, st, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if os.Geteuid() == 0 {
		if err := trusted(path, writersOf(st), loader(from), os.Getenv("SUDO_UID")); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(f)
}

// writers are who can write a file: its owner, and by its mode its group and all.
type writers struct {
	owner, group uint32
	mode         fs.FileMode
}

func writersOf(st fs.FileInfo) writers {
	sys := st.Sys().(*syscall.Stat_t)
	return writers{sys.Uid, sys.Gid, st.Mode().Perm()}
}

// loader are who can write the script named name. What is no file, such as a line at the prompt, root has written.
func loader(name string) writers {
	if !strings.HasPrefix(name, "<") {
		if st, err := os.Stat(name); err == nil {
			return writersOf(st)
		}
	}
	return writers{}
}

// trusted is an error if somebody can write the file at path who cannot write what loads it. The user who called sudo is
// root as well.
func trusted(path string, file, from writers, sudo string) error {
	const byGroup, byAll = 0o020, 0o002
	switch {
	case from.mode&byAll != 0: // who can write the one has no need of the other
	case file.owner != 0 && file.owner != from.owner && strconv.Itoa(int(file.owner)) != sudo:
		return fmt.Errorf("%s belongs to user %d, and root would run what they write (chown root)", path, file.owner)
	case file.mode&byAll != 0, file.mode&byGroup != 0 && file.group != 0 && (from.mode&byGroup == 0 || file.group != from.group):
		return fmt.Errorf("%s can be written by others (mode %04o), and root would run it (chmod go-w)", path, file.mode)
	}
	return nil
}
