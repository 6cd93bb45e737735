package kernel

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTrueCount(t *testing.T) {
	for _, c := range []struct {
		done, n int
		err     error
		want    int
	}{
		{5, 5, nil, 5},
		{2, 5, unix.E2BIG, 2},
		{0, 5, unix.ENOENT, 0},
		{5, 5, unix.EPERM, 0}, // nothing was begun, and no count written
		{1, 1, unix.EINVAL, 0},
	} {
		t.Run(fmt.Sprintf("%d of %d %v", c.done, c.n, c.err), func(t *testing.T) {
			if got := trueCount(c.done, c.n, c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		done, n int
		err     error
		want    int
		moved   bool
		wantErr error
	}{
		{3, 5, nil, 3, true, nil},
		{5, 5, unix.ENOENT, 5, false, unix.ENOENT}, // the end, with the last entries
		{0, 5, unix.ENOENT, 0, false, unix.ENOENT},
		{0, 5, unix.ENOSPC, 0, true, unix.ENOSPC},
		{2, 5, unix.EINTR, 2, true, nil}, // before Linux 6.14, at an empty slot
		{0, 5, unix.EINTR, 0, false, unix.EINTR},
		{2, 5, unix.EBUSY, 2, true, nil}, // entries that a pop has removed already
		{5, 5, unix.EPERM, 0, false, unix.EPERM},
		{5, 5, unix.Errno(524), 0, false, unix.Errno(524)},
	} {
		t.Run(fmt.Sprintf("%d of %d %v", c.done, c.n, c.err), func(t *testing.T) {
			if got, moved, err := place(c.done, c.n, c.err); got != c.want || moved != c.moved || err != c.wantErr {
				t.Errorf("got %d, %v, %v; want %d, %v, %v", got, moved, err, c.want, c.moved, c.wantErr)
			}
		})
	}
}
