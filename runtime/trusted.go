package runtime

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

// ReadTrusted reads a file for the one named from, which loads or runs it; "" is for root alone. As root it refuses one that
// others can write, or put another in the place of, than those who can write from: they would have root's rights.
func ReadTrusted(path, from string) ([]byte, error) {
	f, st, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if os.Geteuid() == 0 {
		there, err := loaderOf(from).trustedWay(path)
		if err == nil && !os.SameFile(there, st) {
			err = fmt.Errorf("%s was replaced while it was opened", path)
		}
		if err != nil {
			return nil, err
		}
	}
	const most = 64 << 20
	if st.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, and a script has at most %d", path, st.Size(), most)
	}
	return io.ReadAll(io.LimitReader(f, st.Size())) // of what is made while it is read, as in /proc, there is no more
}

// loader is a script that loads another: who can write it, and the directory that it is in.
type loader struct {
	writers
	dir string // "" where it is no file, such as a line at the prompt
}

// writers are who can write a file: its owner, and by its mode its group and all.
type writers struct {
	owner, group uint32
	mode         fs.FileMode
	listed       bool // there is a list of further ones, which its mode has under the group
}

func loaderOf(name string) loader {
	if strings.HasPrefix(name, "<") { // who called sudo has typed it
		sudo, _ := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32) // 0: nobody
		return loader{writers: writers{owner: uint32(sudo)}}
	}
	if real, err := filepath.EvalSymlinks(name); err == nil && name != "" {
		if real, err = filepath.Abs(real); err == nil {
			if st, err := os.Lstat(real); err == nil {
				return loader{writersOf(real, st), filepath.Dir(real)}
			}
		}
	}
	return loader{}
}

func writersOf(path string, st fs.FileInfo) writers {
	_, err := syscall.Getxattr(path, "system.posix_acl_access", nil)
	sys := st.Sys().(*syscall.Stat_t)
	return writers{sys.Uid, sys.Gid, st.Mode(), err == nil}
}

// trustedWay is what is found at path, or an error if somebody can change that who cannot change the loader. It looks at the
// file, and at each directory and link on the way to it, from the root on: where the one is trusted, only those who are can
// change the next.
func (l loader) trustedWay(path string) (there fs.FileInfo, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	const mostLinks = 40
	at, links := "/", 0
	for rest := strings.Split(path, "/"); len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at) // it has no links in it
			continue
		}
		next := filepath.Join(at, name)
		st, err := os.Lstat(next)
		if err != nil {
			return nil, err
		}
		if !l.isBelow(next) {
			if err := l.trusts(next, writersOf(next, st)); err != nil {
				return nil, err
			}
		}
		if st.Mode()&fs.ModeSymlink == 0 {
			at, there = next, st
			continue
		}
		target, err := os.Readlink(next)
		if links++; err == nil && links > mostLinks {
			err = &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		if err != nil {
			return nil, err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return there, nil
}

// isBelow says whether the loader is in dir, or below: who can write there can put another in its place.
func (l loader) isBelow(dir string) bool {
	return l.dir == dir || strings.HasPrefix(l.dir, strings.TrimSuffix(dir, "/")+"/")
}

// trusts is an error if somebody can write the file at path who cannot write the loader. In a sticky directory, as /tmp is,
// nobody can touch what is another's.
func (l loader) trusts(path string, file writers) error {
	const byGroup, byAll = 0o020, 0o002
	writable := file.mode&byAll != 0 || file.mode&byGroup != 0 && (file.listed || l.mode&byGroup == 0 || file.group != l.group)
	if file.mode&fs.ModeSymlink != 0 || file.mode.IsDir() && file.mode&fs.ModeSticky != 0 {
		writable = false
	}
	switch {
	case l.mode&byAll != 0: // who can write the one has no need of the other
		return nil
	case file.owner != 0 && file.owner != l.owner:
		return fmt.Errorf("%s belongs to user %d, and root would run what they write (chown root)", path, file.owner)
	case writable:
		return fmt.Errorf("%s can be written by others (mode %04o), and root would run it (chmod go-w)", path, file.mode.Perm())
	}
	return nil
}
