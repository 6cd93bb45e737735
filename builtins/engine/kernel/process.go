package kernel

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// mapLink is what a link in /proc/PID/fd says of a descriptor of a map.
const mapLink = "anon_inode:bpf-map"

// openIn are the processes that have maps open, and the ids of those that this one may not look into.
func openIn() (held engine.Held[engine.Process], hidden []uint32, err error) {
	held.By = map[uint32][]engine.Process{}
	pids, err := processes()
	if err != nil {
		return held, nil, err
	}
	// Each descriptor of the machine is asked for, which takes some microseconds.
	found := make([]mapsOf, len(pids))
	var next atomic.Int32
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(pids); i = int(next.Add(1)) - 1 {
				found[i] = openedBy(pids[i])
			}
		})
	}
	workers.Wait()
	for i, by := range found {
		switch {
		case errors.Is(by.err, unix.EACCES), errors.Is(by.err, unix.EPERM):
			hidden = append(hidden, pids[i])
		case errors.Is(by.err, unix.ENOENT), errors.Is(by.err, unix.ESRCH): // it has ended meanwhile
		case by.err != nil:
			return held, nil, by.err
		}
		for _, id := range by.ids {
			held.By[id] = append(held.By[id], engine.Process{PID: pids[i], Comm: by.comm})
		}
	}
	// Where /proc hides the processes of others it does so with the first one, too.
	held.Partial = len(hidden) > 0 || len(pids) > 0 && pids[0] != 1
	return held, hidden, nil
}

// processes are the ids of the processes that /proc shows, in order.
func processes() (pids []uint32, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.ParseUint(name, 10, 32); err == nil {
			pids = append(pids, uint32(pid))
		}
	}
	slices.Sort(pids)
	return pids, err
}

// mapsOf is what maps a process has open.
type mapsOf struct {
	ids  []uint32
	comm string
	err  error
}

func openedBy(pid uint32) (by mapsOf) {
	if by.ids, by.err = mapsOpenIn(pid); len(by.ids) > 0 {
		comm, _ := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/comm")
		by.comm = strings.TrimSuffix(string(comm), "\n")
	}
	return by
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
