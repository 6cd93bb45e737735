package main

import (
	"bytes"
	"errors"
	"testing"
)

func TestArchive(t *testing.T) {
	var out bytes.Buffer
	c := newCPIO(&out)
	c.device("dev/console", 5, 1)
	c.add("dev/file", modeFile, []byte("four5"))
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	const none = "00000000"
	entry := func(inode, mode, size, major, minor, length, rest string) string {
		return "070701" + inode + mode + none + none + "00000001" + none + size + none + none + major + minor + length + none + rest
	}
	want := entry("00000001", "000041ed", none, none, none, "00000004", "dev\x00\x00\x00") +
		entry("00000002", "00002180", none, "00000005", "00000001", "0000000c", "dev/console\x00\x00\x00") +
		entry("00000003", "000081a4", "00000005", none, none, "00000009", "dev/file\x00\x00four5\x00\x00\x00") +
		entry("00000004", none, none, none, none, "0000000b", "TRAILER!!!\x00\x00\x00\x00")
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out.String(), want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestArchiveError(t *testing.T) {
	c := newCPIO(full{})
	c.add("file", modeFile, nil)
	if err := c.close(); err == nil || err.Error() != "full" {
		t.Errorf("got %v, want that it is full", err)
	}
}
