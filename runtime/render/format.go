package render

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// Format is a way to write values.
type Format int

// The formats. The zero value is FormatTable.
const (
	FormatTable    Format = iota // rows under columns, for people
	FormatJSON                   // one document
	FormatJSONL                  // a document on each line, one for each entry
	FormatCSV                    // RFC 4180 with a header, lines ending in \n
	FormatTSV                    // a header, tabs between cells; what would break a line is escaped. Plain values have no header.
	FormatMarkdown               // a table of GitHub's Markdown
)

var formatNames = []string{"table", "json", "jsonl", "csv", "tsv", "markdown"}

// FormatNames are the names that ParseFormat knows.
func FormatNames() []string { return slices.Clone(formatNames) }

// ParseFormat finds a format by its name. The error lists the names there are.
func ParseFormat(name string) (Format, error) {
	if i := slices.Index(formatNames, name); i >= 0 {
		return Format(i), nil
	}
	last := len(formatNames) - 1
	return 0, fmt.Errorf("format %q: want %s or %s", name, strings.Join(formatNames[:last], ", "), formatNames[last])
}

func (f Format) String() string { return formatNames[f] }

// forPeople says that values stand as people see them, and that rows are cut.
func (f Format) forPeople() bool { return f == FormatTable || f == FormatMarkdown }

// Options are how to write a value. The zero value writes tables as wide as they are, cut at 40 rows.
type Options struct {
	Format Format
	Width  int  // of the terminal; 0: lines may have any length. Less than 20 is taken as 20.
	Limit  int  // the most rows; negative: all; 0: Limit in formats for people, all in the others
	Color  bool // bold heads and dim types in tables
	// Host is the machine that lines of JSON say they are from, in a first field "host"; "": they do not say. Rows that have such a
	// field keep their own.
	Host  string
	ASCII bool // pictures and cuts are in ASCII, since the terminal may not know "…"
	// Terminal says that it is a terminal that is written to: CSV, and a text that is no cell, are escaped too.
	Terminal bool
	// Heads is the line of names that CSV and TSV began with last: if they are the same again they are left out. nil: each
	// begins with its names.
	Heads *string
	// Pictures is what people see of a value that does not say itself that it is a picture; nil of it, and a nil Pictures:
	// it is none.
	Pictures func(starlark.Value) Picture
	// Context ends the writing when it is done, with its cause; nil: nothing does.
	Context context.Context
}

// stopped is why the writing ends before its end; nil: it goes on. What is laid out by then is not whole, and is not written.
func stopped(ctx context.Context) error {
	if ctx == nil || ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// limit is the most rows; negative for all.
func (o Options) limit() int {
	switch {
	case o.Limit != 0:
		return o.Limit
	case o.Format.forPeople():
		return Limit
	default:
		return -1
	}
}

// Write writes a value and the end of its line.
//
// Each call of w.Write gets whole lines. Rows before a failure are written; the JSON document that they are in then
// lacks its end. The error is w's, of reading the rows, or why the options' context is done.
//
// A value without rows is written as print would, but in JSON. No character that a terminal might obey is written
// unescaped, but newlines and tabs, and unless it is for a terminal what CSV, and such a value in CSV and TSV, hold.
func Write(w io.Writer, v starlark.Value, o Options) (err error) {
	out := &lines{w: w, escape: o.Terminal && !o.Format.forPeople(), ctx: o.Context}
	defer func() { // also where an iterator's failure unwinds the run
		if e := out.flush(); err == nil {
			err = e
		}
	}()
	if l, ok := v.(Live); ok {
		if o.Limit == 0 { // where the rows end nobody knows
			o.Limit = -1
		}
		if o.Format == FormatTable {
			return writeLive(out, l, o)
		}
		v = live{l, out.flush, o.Limit, o.Context}
	}
	switch o.Format {
	case FormatJSON:
		return writeJSON(out, v, o)
	case FormatJSONL:
		return writeJSONL(out, v, o)
	case FormatCSV:
		return writeFlat(out, v, o, newCSV(out))
	case FormatTSV:
		return writeFlat(out, v, o, tsv{out})
	}
	text, err := o.table(v)
	if err != nil {
		return err
	}
	out.buf = append(out.buf, text...)
	return out.end()
}

// table is the text of a value in a format for people.
func (o Options) table(v starlark.Value) (string, error) {
	if p := o.picture(v); p != nil {
		return p.Draw(o), stopped(o.Context)
	}
	v = shown(v)
	t, err := tableOf(o.Context, v, o.limit())
	switch {
	case err != nil:
		return "", err
	case t != nil && o.Format == FormatMarkdown:
		return t.markdown(o), stopped(o.Context)
	case t != nil:
		return t.layout(o), stopped(o.Context)
	case o.Format == FormatMarkdown:
		return markdownText(cell(v, o.ASCII)), nil
	default:
		return Escape(printed(v)), nil
	}
}

// Text is what Write writes, without the end of its last line.
func (o Options) Text(v starlark.Value) (string, error) {
	var sb strings.Builder
	err := Write(&sb, v, o)
	return strings.TrimSuffix(sb.String(), "\n"), err
}

// Echo is how a prompt answers with a value: in a table what has rows, and the rest as it is written in a script.
// In the other formats it is Text.
func (o Options) Echo(v starlark.Value) (string, error) {
	var sb strings.Builder
	err := WriteEcho(&sb, v, o)
	return strings.TrimSuffix(sb.String(), "\n"), err
}

// WriteEcho writes what Echo returns, and the end of its line.
func WriteEcho(w io.Writer, v starlark.Value, o Options) error {
	if (o.Format == FormatTable || isLive(v)) && o.picture(v) == nil {
		none, ok := v.(Rowless)
		rowless := ok && none.Rowless()
		switch v.(type) {
		case Tabler, Rower, *starlark.List, starlark.Tuple:
		default:
			rowless = true
		}
		if rowless {
			_, err := io.WriteString(w, Escape(shown(v).String())+"\n")
			return err
		}
	}
	return Write(w, v, o)
}

func isLive(v starlark.Value) bool {
	_, ok := v.(Live)
	return ok
}

// printed is what print prints.
func printed(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}
