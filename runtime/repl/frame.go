package repl

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/chzyer/readline"
)

// Size is how many columns and rows the terminal has.
func (o *Output) Size() (columns, rows int) {
	if o.terminal != nil {
		columns, rows, _ = readline.GetSize(int(o.terminal.Fd()))
	}
	if columns <= 0 || rows <= 1 {
		return 80, 24 // of a terminal that does not tell
	}
	return columns, rows
}

// Begin keeps what is written until Draw. It is for an output that Draws.
func (o *Output) Begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.frame = &bytes.Buffer{}
}

// Draw shows a head, what was written from Begin to the next Draw, and a body, in place of what Draw has shown before. They are on the
// alternate screen, so that neither a new size nor what was there before disturbs them. It is one write, so that nothing
// flickers.
func (o *Output) Draw(head, body string) error {
	_, rows := o.Size()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.frame != nil {
		o.said = o.frame.String()
	}
	o.frame = nil
	lines := strings.Split(strings.TrimRight(head+"\n"+o.said+body, "\n"), "\n")
	if left := len(lines) - (rows - 1); left > 0 {
		lines = append(lines[:rows-2:rows-2], fmt.Sprintf("... %d more lines", left+1))
	}
	var sb strings.Builder
	if o.drawn == nil {
		sb.WriteString("\x1b[?1049h\x1b[?25l")
	}
	o.drawn = lines
	sb.WriteString(noWrap + "\x1b[H")
	for _, line := range lines {
		sb.WriteString(line + "\x1b[K\n")
	}
	sb.WriteString("\x1b[J" + wrap)
	_, err := io.WriteString(o.first, sb.String())
	return err
}

// What is too long is cut off by the terminal between these, and does not go on in the next line.
const noWrap, wrap = "\x1b[?7l", "\x1b[?7h"

// End leaves the alternate screen, and writes the last frame where a reader finds it later. What was written since Begin
// and not drawn is written, too. Without a frame it does nothing.
func (o *Output) End() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var sb strings.Builder
	if o.drawn != nil {
		sb.WriteString("\x1b[?25h\x1b[?1049l\r" + noWrap)
		for _, line := range o.drawn {
			sb.WriteString(line + "\x1b[K\n")
		}
		sb.WriteString(wrap)
	}
	if o.frame != nil {
		sb.Write(o.frame.Bytes())
	}
	o.drawn, o.frame = nil, nil
	if sb.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(o.first, sb.String())
	return err
}
