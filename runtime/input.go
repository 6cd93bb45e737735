package runtime

import (
	"bytes"
	"context"
	"io"
)

// input reads a stream in a goroutine of its own, so that who waits for it can be interrupted. What a wait that
// was given up would have got is there for the next one.
type input struct {
	open   func() (io.ReadCloser, error) // in that goroutine, for opening may block too
	want   chan struct{}                 // asks for a chunk
	chunks chan chunk                    // nil before the first read
	asked  bool                          // for a chunk that has not come yet
	quit   chan struct{}                 // closed when nobody reads any more
	buf    []byte
	err    error // behind what is in buf
}

type chunk struct {
	data []byte
	err  error
}

func newInput(open func() (io.ReadCloser, error)) *input {
	return &input{open: open, quit: make(chan struct{})}
}

// fill waits for more.
func (in *input) fill(ctx context.Context) error {
	if in.chunks == nil {
		in.want, in.chunks = make(chan struct{}, 1), make(chan chunk)
		go in.pump()
	}
	if !in.asked {
		in.want <- struct{}{}
		in.asked = true
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case c := <-in.chunks:
		in.asked = false
		in.buf, in.err = append(in.buf, c.data...), c.err
		return nil
	}
}

// pump reads what is asked for, and nothing ahead of it: what comes later may be for somebody else.
func (in *input) pump() {
	send := func(c chunk) (ok bool) {
		select {
		case in.chunks <- c:
			return c.err == nil
		case <-in.quit:
			return false
		}
	}
	file, err := in.open()
	if err != nil {
		send(chunk{nil, err})
		return
	}
	defer file.Close()
	for {
		select {
		case <-in.want:
		case <-in.quit:
			return
		}
		data := make([]byte, 64<<10)
		n, err := file.Read(data)
		if !send(chunk{data[:n], err}) {
			return
		}
	}
}

// line returns the next line without its end. io.EOF comes alone, behind the last line.
func (in *input) line(ctx context.Context) (string, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(in.buf[seen:], '\n'); i >= 0 {
			return in.take(seen+i, 1), nil
		}
		seen = len(in.buf)
		switch {
		case in.err == io.EOF && seen > 0:
			return in.take(seen, 0), nil
		case in.err != nil:
			return "", in.err
		}
		if err := in.fill(ctx); err != nil {
			return "", err
		}
	}
}

// take removes n bytes from the front, and skip more.
func (in *input) take(n, skip int) string {
	text := string(bytes.TrimSuffix(in.buf[:n], []byte("\r")))
	in.buf = in.buf[n+skip:]
	return text
}

// all returns what is left.
func (in *input) all(ctx context.Context) (string, error) {
	for in.err == nil {
		if err := in.fill(ctx); err != nil {
			return "", err
		}
	}
	text := string(in.buf)
	in.buf = nil
	if in.err != io.EOF {
		return "", in.err
	}
	return text, nil
}

// close lets the goroutine go, when what it waits for has come.
func (in *input) close() {
	select {
	case <-in.quit:
	default:
		close(in.quit)
	}
}
