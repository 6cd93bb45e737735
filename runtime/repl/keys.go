package repl

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

// escapeWait is how long the rest of a key may take that begins with ESC, over a slow connection. After it the ESC
// was the key of that name, which does nothing.
const escapeWait = 25 * time.Millisecond

// keyReader reads what a terminal sends and gives readline keys that it handles: text, controls, four Meta keys
// (b, f, d and Backspace), and our marks. Everything else is translated into these, or dropped.
type keyReader struct {
	in      io.Reader
	timeout func() <-chan time.Time // starts the wait after an ESC

	data     [4096]byte  // of the read that is under way
	underway chan result // of a read that outlives its wait; nil if there is none
	buf      []byte      // was read, is still to be looked at
	out      []byte      // is still to be given out
	err      error       // from in; it comes after what is in buf
	ended    atomic.Bool
	waiting  atomic.Uint32 // the key that is there already; 0 if there is none

	mu     sync.Mutex
	pastes []string // one for each pasteMark given out
}

// result is what a Read returns.
type result struct {
	n   int
	err error
}

func newKeyReader(in io.Reader) *keyReader {
	return &keyReader{in: in, timeout: func() <-chan time.Time { return time.After(escapeWait) }}
}

// Read is io.Reader's, for readline.
func (k *keyReader) Read(p []byte) (int, error) {
	for len(k.out) == 0 {
		if !k.have(1) {
			k.ended.Store(true)
			return 0, k.err
		}
		k.key()
	}
	n := copy(p, k.out)
	k.out = k.out[n:]
	k.waiting.Store(0)
	if len(k.buf) > 0 {
		k.waiting.Store(uint32(k.buf[0]))
	}
	return n, nil
}

// Close does nothing: the terminal is not ours.
func (k *keyReader) Close() error { return nil }

// paste takes the oldest paste.
func (k *keyReader) paste() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.pastes) == 0 {
		return ""
	}
	text := k.pastes[0]
	k.pastes = k.pastes[1:]
	return text
}

// have waits until there are n bytes in buf. It is false if the input ends before.
func (k *keyReader) have(n int) bool {
	for len(k.buf) < n && k.err == nil {
		k.fill(nil)
	}
	return len(k.buf) >= n
}

// fill reads once. If the timeout comes first, the read goes on, and the next call gets what it brings.
func (k *keyReader) fill(timeout <-chan time.Time) {
	if k.underway == nil {
		if timeout == nil {
			n, err := k.in.Read(k.data[:])
			k.buf, k.err = append(k.buf, k.data[:n]...), err
			return
		}
		k.underway = make(chan result, 1)
		go func(done chan<- result) {
			n, err := k.in.Read(k.data[:])
			done <- result{n, err}
		}(k.underway)
	}
	select {
	case r := <-k.underway:
		k.underway = nil
		k.buf, k.err = append(k.buf, k.data[:r.n]...), r.err
	case <-timeout:
	}
}

// key takes one key from buf, which is not empty.
func (k *keyReader) key() {
	c := k.buf[0]
	switch {
	case c == keyEscape:
		k.buf = k.buf[1:]
		k.escape()
	case c < utf8.RuneSelf:
		k.buf = k.buf[1:]
		if c >= ' ' || bytes.IndexByte([]byte(controls), c) >= 0 {
			k.out = append(k.out, c)
		}
	default:
		if r := k.rune(); !unicode.IsControl(r) && !isMark(r) {
			k.out = utf8.AppendRune(k.out, r)
		}
	}
}

// rune takes a rune from buf. A byte that belongs to none becomes U+FFFD.
func (k *keyReader) rune() rune {
	for !utf8.FullRune(k.buf) && k.have(len(k.buf)+1) {
	}
	r, size := utf8.DecodeRune(k.buf)
	k.buf = k.buf[size:]
	return r
}

// follows says whether a key goes on: whether more comes before the time is up.
func (k *keyReader) follows() bool {
	if len(k.buf) == 0 && k.err == nil {
		k.fill(k.timeout())
	}
	return len(k.buf) > 0
}

// escape takes what follows an ESC.
func (k *keyReader) escape() {
	if !k.follows() {
		return
	}
	switch c := k.buf[0]; c {
	case '[':
		k.buf = k.buf[1:]
		k.sequence(true)
	case 'O':
		k.buf = k.buf[1:]
		if k.follows() {
			k.sequence(false)
		}
	case 'b', 'f', 'd', keyBackspace:
		k.buf = k.buf[1:]
		k.out = append(k.out, keyEscape, c)
	case '\b':
		k.buf = k.buf[1:]
		k.out = append(k.out, deleteWordLeft...)
	default:
		if c >= ' ' { // an unknown Meta key; but a control character is one without ESC too
			k.rune()
		}
	}
}

// sequence takes what follows ESC [ (csi) or ESC O. There is no time limit here: a paste begins so, and must not be
// run as typed text because a network was slow.
func (k *keyReader) sequence(csi bool) {
	const longest = 32
	n := 0
	for ; k.have(n + 1); n++ {
		if c := k.buf[n]; c < ' ' || c >= keyBackspace || n == longest {
			k.buf = k.buf[n:] // no sequence at all
			return
		} else if c >= '@' {
			break
		}
	}
	if !k.have(n + 1) {
		k.buf = nil
		return
	}
	name := string(k.buf[:n+1])
	k.buf = k.buf[n+1:]
	switch {
	case csi && name == pasteStart:
		k.pasted()
	case csi && name == "[": // the Linux console's function keys: ESC [ [ A
		if k.have(1) {
			k.rune()
		}
	case csi && name == "M": // a mouse's button
	default:
		k.out = append(k.out, sequences[name]...)
	}
}

// pasted takes a paste up to its end.
func (k *keyReader) pasted() {
	seen := 0
	for {
		if i := bytes.Index(k.buf[seen:], []byte(pasteEnd)); i >= 0 {
			text := cleanPaste(string(k.buf[:seen+i]))
			k.buf = slices.Clone(k.buf[seen+i+len(pasteEnd):])
			if text == "" {
				return
			}
			k.mu.Lock()
			k.pastes = append(k.pastes, text)
			k.mu.Unlock()
			k.out = append(k.out, leaveSearch+string(pasteMark)...)
			return
		}
		seen = max(0, len(k.buf)-len(pasteEnd)+1)
		if !k.have(len(k.buf) + 1) {
			k.buf = nil // the terminal is gone
			return
		}
	}
}
