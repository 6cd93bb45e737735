package kernel

import (
	"errors"
	"os"
	"runtime"
	"time"

	"bpfsh/builtins/engine"

	"golang.org/x/sys/unix"
)

// events reads a perf_event_array: an event of our own for each CPU, with a ring of its own.
//
// The entries are made through a descriptor that nothing else uses. When it is closed, also by the end of the process,
// the kernel removes those entries that were made through it, and no others: what somebody has put there since stays.
type events struct {
	fd    int // of the map; -1 when closed
	keeps bool
	rings []*perfRing
	fds   []unix.PollFd
	given *perfRing // that Next has given a record of
}

// openEvents makes what reads the array, beside whoever reads it now.
func (m *kernelMap) openEvents(buffer int) (engine.Stream, error) {
	if page := os.Getpagesize(); buffer < page || buffer&(buffer-1) != 0 {
		return nil, unix.EINVAL
	}
	fd, err := openID(m.info.ID, 0)
	runtime.KeepAlive(m)
	if err != nil {
		return nil, err
	}
	e := &events{fd: fd, keeps: m.info.Flags&unix.BPF_F_PRESERVE_ELEMS != 0}
	if err := e.open(int(m.info.MaxEntries), buffer); err != nil {
		_ = e.Close() // what there is of it
		return nil, err
	}
	return e, nil
}

// open makes the events.
func (e *events) open(cpus, buffer int) error {
	for cpu := range cpus {
		r, err := openPerfRing(cpu, buffer)
		if err == unix.ENODEV { // there is no such CPU, or it is offline
			continue
		}
		if err != nil {
			return err
		}
		e.rings = append(e.rings, r)
		e.fds = append(e.fds, unix.PollFd{Fd: int32(r.fd), Events: unix.POLLIN})
	}
	return nil
}

// Begin takes the place of whoever reads the array. What that was is lost: the kernel does not give an entry back.
func (e *events) Begin() (replaced int, err error) {
	if e.fd < 0 {
		return 0, unix.EBADF
	}
	for _, r := range e.rings {
		switch err := element(unix.BPF_MAP_DELETE_ELEM, e.fd, index(r.cpu), nil, 0, false); err {
		case nil:
			replaced++
		case unix.ENOENT:
		default:
			return replaced, err
		}
		if err := element(unix.BPF_MAP_UPDATE_ELEM, e.fd, index(r.cpu), index(r.fd), 0, false); err != nil {
			return replaced, err
		}
		r.entered = true
	}
	return replaced, nil
}

// Next gives the oldest of the records that are there: each ring is in order, and so are the rings as far as all have
// sent what they have.
func (e *events) Next(b []byte) ([]byte, error) {
	if e.fd < 0 {
		return b, unix.EBADF
	}
	e.given = nil
	for _, r := range e.rings {
		if r.peek() && (e.given == nil || r.time < e.given.time) {
			e.given = r
		}
	}
	if e.given == nil {
		return b, unix.EAGAIN
	}
	return e.given.sample(b), nil
}

func (e *events) Take() error {
	if e.given != nil {
		e.given.free()
		e.given = nil
	}
	return nil
}

// Wait is woken by each record.
func (e *events) Wait(d time.Duration) error {
	if e.fd < 0 {
		return unix.EBADF
	}
	return poll(e.fds, d)
}

// Missed are the records that the kernel had no room for. Before Linux 6.0 it tells of them with the next one that it has
// room for.
func (e *events) Missed() (m engine.Missed) {
	for _, r := range e.rings {
		lost := r.lost()
		m.Times += lost.Times
		m.Amount += lost.Amount
	}
	return m
}

func (e *events) Unconsumed() uint64 { return 0 }
func (e *events) Position() uint64   { return engine.Newest }

// Close removes our entries. Where they outlive the descriptor that has made them, they go one by one.
func (e *events) Close() error {
	if e.fd < 0 {
		return nil
	}
	var all error
	for _, r := range e.rings {
		if e.keeps && r.entered {
			if err := element(unix.BPF_MAP_DELETE_ELEM, e.fd, index(r.cpu), nil, 0, false); err != unix.ENOENT {
				all = errors.Join(all, err)
			}
		}
		all = errors.Join(all, r.close())
	}
	all = errors.Join(all, unix.Close(e.fd))
	e.fd = -1
	return all
}
