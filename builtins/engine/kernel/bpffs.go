package kernel

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// defaultBPFFS is where systems mount the bpffs.
const defaultBPFFS = "/sys/fs/bpf"

// Pin gives the map a name in a bpffs. cilium/ebpf's Pin would move a map that this handle has pinned before;
// here a second pin is one more.
func (m *kernelMap) Pin(path string, replace bool) error {
	if m.fd < 0 {
		return unix.EBADF
	}
	if m.info.ReadOnly { // the kernel pins through it, and who opens the pin can write
		return unix.EPERM
	}
	if err := m.engine.mount(filepath.Dir(path)); err != nil {
		return err
	}
	err := m.pin(path)
	if err != unix.EEXIST || !replace {
		return err
	}
	old, err := m.engine.OpenPin(path, true)
	if err != nil {
		return fmt.Errorf("what is at %s cannot be replaced: %w", path, err)
	}
	old.Close()
	beside := filepath.Join(filepath.Dir(path), fmt.Sprintf("bpfsh_%016x", rand.Uint64()))
	if err := m.pin(beside); err != nil {
		return err
	}
	if err := unix.Rename(beside, path); err != nil {
		return errors.Join(err, unix.Unlink(beside))
	}
	return nil
}

func (m *kernelMap) pin(path string) error {
	clone, err := m.m.Clone()
	if err != nil {
		return errnoOf(err)
	}
	defer clone.Close()
	if err := clone.Pin(path); err != nil {
		return errnoOf(err)
	}
	m.engine.pinnedIn.note(path)
	return nil
}

// Unpin removes a pin.
func (e *Engine) Unpin(path string) error {
	if err := onBPFFS(filepath.Dir(path)); err != nil {
		return err
	}
	return unix.Unlink(path)
}

// mount makes sure that dir is on a bpffs. It mounts one only where systems have it, and only if nothing is there.
func (e *Engine) mount(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	if !e.mounts(dir, &st) {
		return onBPFFS(dir)
	}
	if err := unix.Mount("bpf", defaultBPFFS, "bpf", 0, "mode=0700"); err != nil {
		return &engine.MountError{Dir: defaultBPFFS, Err: err}
	}
	e.Mounted(defaultBPFFS)
	return nil
}

// mounts says whether a bpffs is mounted in a directory where something is pinned.
func (e *Engine) mounts(dir string, there *unix.Statfs_t) bool {
	return e.Mounted != nil && dir == defaultBPFFS && there.Type == unix.SYSFS_MAGIC
}

// Pinnable says what Pin would answer: it looks the name up as the kernel would, and asks whether this process may write
// to the directory, or may mount a bpffs there.
func (e *Engine) Pinnable(path string, replace bool) (mounts string, err error) {
	dir := filepath.Dir(path)
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", err
	}
	if e.mounts(dir, &st) {
		if missing(engine.Mounting) != "" {
			return "", &engine.MountError{Dir: dir, Err: unix.EPERM}
		}
		if strings.Contains(filepath.Base(path), ".") { // which no bpffs takes
			err = unix.EPERM
		}
		return dir, err
	}
	if err := onBPFFS(dir); err != nil {
		return "", err
	}
	var there unix.Stat_t
	name, slash := strings.CutSuffix(path, "/") // a name with one is taken, or else cannot be made
	switch err := unix.Lstat(name, &there); {
	case err == nil && !replace:
		return "", unix.EEXIST
	case err != nil && (err != unix.ENOENT || slash): // such as EPERM, of a name with a dot
		return "", err
	}
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil || !replace {
		return "", err
	}
	return "", mayRemove(dir, &there)
}

// mayRemove says whether this process may remove what is in a directory that it may write to: from one that is sticky
// only what is its own.
func mayRemove(dir string, there *unix.Stat_t) error {
	var above unix.Stat_t
	err := unix.Stat(dir, &above)
	if self := uint32(unix.Geteuid()); err == nil && above.Mode&unix.S_ISVTX != 0 && self != there.Uid && self != above.Uid && !effective(unix.CAP_FOWNER) {
		return unix.EPERM
	}
	return err
}

func onBPFFS(path string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return err
	}
	if st.Type != unix.BPF_FS_MAGIC {
		return &engine.NotBPFFSError{Dir: path}
	}
	return nil
}

// PrivateBPFFS makes a bpffs that is mounted nowhere. Its directory can be used like any other by this process
// alone; everything in it goes when close is called, or with the process. It needs CAP_SYS_ADMIN and Linux 5.2.
func PrivateBPFFS() (dir string, close func() error, err error) {
	fsfd, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return "", nil, fmt.Errorf("private bpffs: fsopen: %w", err)
	}
	defer unix.Close(fsfd)
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return "", nil, fmt.Errorf("private bpffs: fsconfig: %w", err)
	}
	mfd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("private bpffs: fsmount: %w", err)
	}
	return "/proc/self/fd/" + strconv.Itoa(mfd), func() error { return unix.Close(mfd) }, nil
}
