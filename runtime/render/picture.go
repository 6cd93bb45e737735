package render

import "go.starlark.net/starlark"

// Picture is what is drawn for people, within the options' width.
type Picture interface {
	// Draw is the lines of it, without the end of the last. All text in it is escaped.
	Draw(o Options) string
}

// Pictured is a value that people see as a picture. In the formats for programs, and in Markdown, it is as its other
// interfaces have it.
type Pictured interface {
	starlark.Value
	Picture() Picture
}

// picture is what people see of a value in a table's place; nil if it is no picture.
func (o Options) picture(v starlark.Value) Picture {
	if o.Format != FormatTable {
		return nil
	}
	if p, ok := v.(Pictured); ok {
		return p.Picture()
	}
	if o.Pictures != nil {
		return o.Pictures(v)
	}
	return nil
}

// drawnWidth is the width that pictures are drawn in.
func (o Options) drawnWidth() int {
	if o.Width == 0 {
		return 80
	}
	return max(o.Width, narrowest)
}

// head makes a line stand out, as the head of a table does.
func (o Options) head(line string) string {
	if o.Color && line != "" {
		return bold(line)
	}
	return line
}

// aside makes a line stand back.
func (o Options) aside(line string) string {
	if o.Color && line != "" {
		return dim(line)
	}
	return line
}
