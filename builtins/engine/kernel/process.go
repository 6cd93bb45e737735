package kernel

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// mapLink is what a link in /proc/PID/fd says of a descriptor of a map.
const mapLink = "anon_inode:bpf-map"

// openIn are the processes that have maps open, and the ids of those that this one may not look into.
func openIn() (held engine.Held[engine.Process], hidden []uint32, err error) {
	held.By = map[uint32][]engine.Process{}
	names, err := namesIn("/proc")
	if err != nil {
		return held, nil, err
	}
	var pids []uint32
	for _, name := range names {
		if pid, err := strconv.ParseUint(name, 10, 32); err == nil {
			pids = append(pids, uint32(pid))
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		ids, err := mapsOpenIn(pid)
		switch {
		case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
			hidden = append(hidden, pid)
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH): // it has ended meanwhile
		case err != nil:
			return held, nil, err
		case len(ids) > 0:
			comm, _ := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/comm")
			p := engine.Process{PID: pid, Comm: strings.TrimSuffix(string(comm), "\n")}
			for _, id := range ids {
				held.By[id] = append(held.By[id], p)
			}
		}
	}
	// Where /proc hides the processes of others it does so with the first one, too.
	held.Partial = len(hidden) > 0 || len(pids) > 0 && pids[0] != 1
	return held, hidden, nil
}

// mapsOpenIn are the ids of the maps that a process has open, each once. Most descriptors are of something else, which
// to read a link tells sooner than to read what there is to say of it.
func mapsOpenIn(pid uint32) (ids []uint32, err error) {
	process := "/proc/" + strconv.Itoa(int(pid))
	dir, err := os.Open(process + "/fd")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	link := make([]byte, len(mapLink)+1) // with room for a byte too many
	for _, name := range names {
		n, err := unix.Readlinkat(int(dir.Fd()), name, link)
		var text []byte
		if err == nil {
			if string(link[:n]) != mapLink {
				continue
			}
			text, err = os.ReadFile(process + "/fdinfo/" + name)
		}
		if errors.Is(err, unix.ENOENT) { // it has been closed meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		if id := mapIn(text); id != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func namesIn(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}
