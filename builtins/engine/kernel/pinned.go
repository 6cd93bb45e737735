package kernel

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// elsewhere are the directories that maps were pinned in, or opened from. They need not be in this mount namespace:
// a bpffs may be one that is mounted nowhere, or that of a container, below /proc/PID/root.
type elsewhere struct {
	mu   sync.Mutex
	dirs map[string]bool
}

// note keeps the directory of a pin.
func (e *elsewhere) note(pin string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dirs == nil {
		e.dirs = map[string]bool{}
	}
	e.dirs[filepath.Dir(pin)] = true
}

func (e *elsewhere) sorted() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.dirs))
}

// pinnedAt are the paths of pins of maps.
func (e *Engine) pinnedAt() (held engine.Held[string], err error) {
	held.By = map[uint32][]string{}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return held, err
	}
	walked := map[uint64]bool{} // file systems that are gone through as a whole
	for _, m := range bpffsMounts(string(text)) {
		walked[m.dev] = true
		if err := walkPins(m.dir, m.dev, &held); err != nil {
			return held, err
		}
	}
	for _, dir := range e.pinnedIn.sorted() {
		var st unix.Stat_t
		if unix.Stat(dir, &st) != nil || walked[st.Dev] || onBPFFS(dir) != nil { // it may be gone
			continue
		}
		if err := walkPins(dir, st.Dev, &held); err != nil {
			return held, err
		}
	}
	for id, paths := range held.By {
		slices.Sort(paths)
		held.By[id] = slices.Compact(paths)
	}
	return held, nil
}

// mount is a file system, or a part of one, at a directory.
type mount struct {
	dev       uint64
	root, dir string
}

// bpffsMounts finds each bpffs in the text of a mountinfo, once: a part of one that is mounted elsewhere too is not told
// again.
func bpffsMounts(mountinfo string) (mounts []mount) {
	for line := range strings.Lines(mountinfo) {
		// 36 35 98:0 /root /dir options, any number of fields, -, type and more
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if len(f) < 5 || !strings.HasPrefix(after, "bpf ") {
			continue
		}
		major, minor, _ := strings.Cut(f[2], ":")
		a, err := strconv.ParseUint(major, 10, 32)
		b, err2 := strconv.ParseUint(minor, 10, 32)
		if err != nil || err2 != nil {
			continue
		}
		m := mount{unix.Mkdev(uint32(a), uint32(b)), unescape(f[3]), unescape(f[4])}
		var st unix.Stat_t
		if unix.Stat(m.dir, &st) == nil && st.Dev != m.dev {
			continue // something else is mounted over it
		}
		if !slices.ContainsFunc(mounts, func(other mount) bool { return other.dev == m.dev && below(m.root, other.root) }) {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// unescape reads a path as mountinfo has it, where \040 is a space.
func unescape(path string) string {
	var sb strings.Builder
	for {
		plain, rest, escaped := strings.Cut(path, `\`)
		sb.WriteString(plain)
		if !escaped {
			return sb.String()
		}
		if len(rest) >= 3 {
			if n, err := strconv.ParseUint(rest[:3], 8, 8); err == nil {
				sb.WriteByte(byte(n))
				path = rest[3:]
				continue
			}
		}
		sb.WriteByte('\\')
		path = rest
	}
}

// walkPins adds the maps that are pinned below a directory, which may be a link to one, and stays on its file system.
func walkPins(root string, dev uint64, held *engine.Held[string]) error {
	return filepath.WalkDir(root+"/", func(path string, d fs.DirEntry, err error) error {
		var id uint32
		switch {
		case err != nil:
		case d.IsDir():
			var st unix.Stat_t
			if unix.Stat(path, &st) == nil && st.Dev != dev {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			id, err = pinnedMap(path)
		}
		switch {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EINVAL): // it has gone, or is a link
		case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
			held.Partial = true
		case err != nil:
			return err
		case id != 0:
			held.By[id] = append(held.By[id], path)
		}
		return nil
	})
}

// pinnedMap is the id of the map that is pinned at path; 0: it is another kind of object. Of a link there is no
// descriptor that only reads: EINVAL.
func pinnedMap(path string) (uint32, error) {
	fd, err := openPin(path, unix.BPF_F_RDONLY)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	return mapIn(text), nil
}

// mapIn is the id of the map that an fdinfo is of; 0 if it is of no map.
func mapIn(fdinfo []byte) uint32 {
	id, _ := numberIn(fdinfo, "map_id:") // which the kernel writes as a number
	return uint32(id)
}
