package render

import "io"

// lines gathers text, and hands it on in pieces that end with a line: what escapes a piece for a terminal must not
// find half a character.
type lines struct {
	w      io.Writer
	buf    []byte
	escape bool
}

// piece is how much is gathered: more makes a stream no faster, and its reader wait longer.
const piece = 32 << 10

// end ends a line.
func (l *lines) end() error {
	l.buf = append(l.buf, '\n')
	if len(l.buf) < piece {
		return nil
	}
	return l.flush()
}

// Write takes text whose lines are ended by a call of end.
func (l *lines) Write(b []byte) (int, error) {
	l.buf = append(l.buf, b...)
	return len(b), nil
}

func (l *lines) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	text := l.buf
	if l.escape {
		text = []byte(Escape(string(text)))
	}
	_, err := l.w.Write(text)
	l.buf = l.buf[:0]
	return err
}
