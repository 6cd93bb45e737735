package main

import (
	"fmt"
	"io"
	"path"
)

// cpio writes an initramfs as the kernel reads it: the archive format that cpio calls newc.
type cpio struct {
	w     io.Writer
	inode int
	dirs  map[string]bool
	err   error // the first; what follows it is not written
}

func newCPIO(w io.Writer) *cpio { return &cpio{w: w, dirs: map[string]bool{".": true, "/": true}} }

// Modes of files, of which the upper bits are what the file is.
const (
	modeDir    = 0o040755
	modeFile   = 0o100644
	modeBinary = 0o100755
	modeDevice = 0o020600
)

// add writes a file, and the directories above it if they are not there yet.
func (c *cpio) add(name string, mode int, data []byte) {
	c.mkdir(path.Dir(name))
	c.entry(name, mode, 0, 0, data)
}

// device writes a character device.
func (c *cpio) device(name string, major, minor int) {
	c.mkdir(path.Dir(name))
	c.entry(name, modeDevice, major, minor, nil)
}

func (c *cpio) mkdir(name string) {
	if !c.dirs[name] {
		c.mkdir(path.Dir(name))
		c.dirs[name] = true
		c.entry(name, modeDir, 0, 0, nil)
	}
}

func (c *cpio) entry(name string, mode, major, minor int, data []byte) {
	c.inode++
	c.printf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0)
	const header = 110
	c.printf("%s\x00%s", name, padding(header+len(name)+1))
	c.printf("%s%s", data, padding(len(data)))
}

// padding fills up to a multiple of four bytes.
func padding(n int) string { return "\x00\x00\x00"[:(4-n%4)%4] }

func (c *cpio) printf(format string, args ...any) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, format, args...)
	}
}

// close ends the archive, and tells the first error.
func (c *cpio) close() error {
	c.entry("TRAILER!!!", 0, 0, 0, nil)
	return c.err
}
