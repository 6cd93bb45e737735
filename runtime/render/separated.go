package render

import (
	"bytes"
	"encoding/csv"
	"unicode/utf8"
)

// flatWriter writes lines of cells.
type flatWriter interface {
	write(*cells) error
	// alwaysHead says whether values without a name have a head, too.
	alwaysHead() bool
}

// csvWriter writes lines as encoding/csv quotes them.
type csvWriter struct {
	out  *lines
	w    *csv.Writer
	line []string
}

func newCSV(out *lines) *csvWriter { return &csvWriter{out: out, w: csv.NewWriter(out)} }

func (w *csvWriter) alwaysHead() bool { return true }

func (w *csvWriter) write(c *cells) error {
	all := string(c.text)
	if c.len() == 1 && all == "" { // encoding/csv would write an empty line, which readers pass over
		w.out.buf = append(w.out.buf, `""`...)
		return w.out.end()
	}
	w.line = w.line[:0]
	for i, end := range c.ends {
		w.line = append(w.line, all[c.start(i):end])
	}
	if err := w.w.Write(w.line); err != nil {
		return err
	}
	w.w.Flush()
	if err := w.w.Error(); err != nil {
		return err
	}
	w.out.buf = bytes.TrimSuffix(w.out.buf, []byte("\n"))
	return w.out.end()
}

// tsv writes lines as COPY of PostgreSQL reads them: \t, \n, \r and \\, and \xNN for each byte of another character that a
// terminal might obey.
type tsv struct{ out *lines }

// alwaysHead: a list of plain values is for a shell to loop over.
func (w tsv) alwaysHead() bool { return false }

func (w tsv) write(c *cells) error {
	b := w.out.buf
	for i, end := range c.ends {
		if i > 0 {
			b = append(b, '\t')
		}
		b = appendTSV(b, c.text[c.start(i):end])
	}
	w.out.buf = b
	return w.out.end()
}

func appendTSV(b, text []byte) []byte {
	for len(text) > 0 {
		plain := 0
		for plain < len(text) && text[plain] >= ' ' && text[plain] <= '~' && text[plain] != '\\' {
			plain++
		}
		if b, text = append(b, text[:plain]...), text[plain:]; len(text) == 0 {
			break
		}
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case !dangerous(r):
			b = append(b, text[:n]...)
		default:
			for _, c := range text[:n] {
				b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		text = text[n:]
	}
	return b
}
