package repl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// historyLimit is how many blocks are loaded. The file itself only grows.
const historyLimit = 10_000

// history keeps blocks in a file: one JSON string a line, oldest first. Several sessions may append to one file.
// A file that cannot be used is an error of add alone.
type history struct {
	path   string // "" for none
	blocks []string
	file   *os.File // open from the first add on
	err    error    // why the file is not used
}

// historyPath says where the history is kept: BPFSH_HISTORY, or bpfsh/history in the user's state directory. It is
// "" if there is neither.
func historyPath(getenv func(string) string) (string, error) {
	if path := getenv("BPFSH_HISTORY"); path != "" {
		return path, nil
	}
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", nil
		}
		state = filepath.Join(home, ".local", "state")
	}
	// sudo may leave HOME as it was; root's files would be in the user's way then, and the user's links in root's.
	if owner, dir := ownerAbove(state); os.Geteuid() == 0 && owner != 0 {
		return "", fmt.Errorf("%s belongs to another user", dir)
	}
	return filepath.Join(state, "bpfsh", "history"), nil
}

// ownerAbove is the owner of path, or of the nearest directory above it that exists.
func ownerAbove(path string) (uid uint32, dir string) {
	for {
		st, err := os.Stat(path)
		if err == nil {
			return st.Sys().(*syscall.Stat_t).Uid, path
		}
		if path == filepath.Dir(path) {
			return 0, path
		}
		path = filepath.Dir(path)
	}
}

// loadHistory reads the newest blocks of a file. What is no regular file, such as /dev/null, is none.
func loadHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h
	case err == nil && st.IsDir():
		err = fmt.Errorf("%s is a directory", path)
	case err == nil && !st.Mode().IsRegular():
		h.path = ""
		return h
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		h.err = err
		return h
	}
	for line := range bytes.Lines(text) {
		var block string
		if json.Unmarshal(line, &block) != nil || block == "" {
			continue // the end of a full disk, or not ours
		}
		h.blocks = append(h.blocks, block)
	}
	h.blocks = h.blocks[max(0, len(h.blocks)-historyLimit):]
	return h
}

// add appends a block, unless it is the newest already.
func (h *history) add(block string) (added bool, err error) {
	if n := len(h.blocks); n > 0 && h.blocks[n-1] == block {
		return false, nil
	}
	h.blocks = append(h.blocks, block)
	if h.err != nil || h.path == "" {
		return true, h.err
	}
	if h.file == nil {
		if h.file, h.err = openHistory(h.path); h.err != nil {
			return true, h.err
		}
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(block); err != nil {
		return true, err
	}
	_, err = h.file.Write(line.Bytes()) // at once: lines of two sessions do not mix
	return true, err
}

// openHistory opens a file to append to, which nobody else may read.
func openHistory(path string) (f *os.File, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return nil, err
		}
	}
	if st.Size() == 0 {
		return f, nil
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, st.Size()-1); err != nil {
		return nil, err
	}
	if last[0] != '\n' { // a line that a full disk cut off
		if _, err := f.Write([]byte{'\n'}); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (h *history) close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}
