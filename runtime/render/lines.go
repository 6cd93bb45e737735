package render

import (
	"bytes"
	"context"
	"io"
)

// lines gathers text, and hands it on in pieces that end with a line: what escapes a piece for a terminal must not
// find half a character.
type lines struct {
	w      io.Writer
	buf    []byte
	escape bool
	ctx    context.Context // keeps the rest of a text of several pieces when it is done; nil: nothing does
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
	l.buf = l.buf[:0]
	if l.escape {
		text = []byte(Escape(string(text)))
	}
	for {
		n := len(text)
		if n > piece {
			if end := bytes.IndexByte(text[piece:], '\n'); end >= 0 {
				n = piece + end + 1
			}
		}
		if _, err := l.w.Write(text[:n]); err != nil {
			return err
		}
		if text = text[n:]; len(text) == 0 {
			return nil
		}
		if err := stopped(l.ctx); err != nil { // a terminal may be slow
			return err
		}
	}
}
