package builtins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// fullness is how much of a map's room is taken.
type fullness struct {
	kind    *engine.Kind
	entries starlark.Value // of a ringbuf the bytes that are not consumed; None: not known
	most    uint32
	frozen  bool
}

// runsFull says whether new entries may find no room.
func (f *fullness) runsFull() bool {
	if f.kind.Unit == engine.Bytes {
		return f.entries != starlark.None // which is looked for where it is asked for
	}
	return !f.kind.NoEntries && (f.kind.Shape == engine.Hashed || f.kind.Shape == engine.Ordered)
}

// share is from 0 to 1; None of what cannot run full, or is not known.
func (f *fullness) share() starlark.Value {
	n, known := f.entries.(starlark.Int)
	if !known || !f.runsFull() || f.most == 0 {
		return starlark.None
	}
	return n.Float() / starlark.Float(f.most)
}

// crowded is from where a map is about to be full.
const crowded = 0.9

// drawn is a bar and the share in percent. Of a map that makes room itself a full bar would warn of nothing: it says so
// instead, and so does one whose entries are always there.
func (f *fullness) drawn() starlark.Value {
	share, known := f.share().(starlark.Float)
	const cells = 10
	n, _ := f.entries.(starlark.Int)
	whole := n.Mul(starlark.MakeInt(100)).Div(starlark.MakeInt64(max(int64(f.most), 1))) // 100 is full; a float says 28 of 29 in 100
	percent := fmt.Sprintf(" %3s%%", whole)
	return render.Drawn{Value: f.share(), Loud: known && share >= crowded && !f.kind.Evicts, Draw: func(_ int, ascii bool) string {
		var said []string
		switch {
		case known && f.kind.Evicts:
			said = []string{fmt.Sprintf("%-*s", cells, "evicting") + percent}
		case f.kind.Evicts:
			said = []string{"evicting"}
		case known:
			bar := render.Bar(float64(share), cells, ascii)
			said = []string{bar + strings.Repeat(" ", cells-len([]rune(bar))) + percent}
		case f.kind.Shape == engine.Indexed || f.kind.Shape == engine.Slots:
			said = []string{"fixed"}
		case f.runsFull() && f.most > 0:
			said = []string{render.Gap(ascii)}
		}
		if f.frozen {
			said = append(said, "frozen")
		}
		return strings.Join(said, ", ")
	}}
}

func (f *fullness) drawnEntries() starlark.Value {
	return render.Drawn{Value: f.entries, Number: true, Draw: func(_ int, ascii bool) string {
		switch {
		case f.entries != starlark.None && f.kind.Unit == engine.Bytes:
			n, _ := f.entries.(starlark.Int).Uint64()
			return render.Size(n)
		case f.entries != starlark.None:
			return f.entries.String()
		case f.runsFull() || f.kind.Shape == engine.Slots:
			return render.Gap(ascii)
		}
		return ""
	}}
}

// unconsumed is how many bytes of a ring buffer are not consumed, which takes nothing. It is not known of other maps, nor
// where that may not be read, or where records take the place of older ones.
func unconsumed(m engine.Map) (n uint64, known bool) {
	info := m.Info()
	if kind := engine.KindOf(info.Type); !kind.Streams || kind.Keyed() || info.Flags&engine.RingOverwrites != 0 {
		return 0, false
	}
	s, err := m.Tap(engine.Newest)
	if err != nil {
		return 0, false
	}
	n = s.Unconsumed()
	return n, s.Close() == nil
}

// entriesOf is the number of entries of a map: what the kernel has counted, what its type says, or with walk what a walk
// finds. None of one that cannot be walked through, that refuses to be read, or that has too many to go through.
func entriesOf(ctx context.Context, m engine.Map, counts map[uint32]int, walk bool) (starlark.Value, error) {
	info := m.Info()
	kind := engine.KindOf(info.Type)
	if n, ok := counts[info.ID]; ok && kind.Counted {
		return starlark.MakeInt(n), nil
	}
	switch {
	case kind.Shape == engine.Indexed:
		return starlark.MakeInt(int(info.MaxEntries)), nil
	case !walk || !kind.Has("count") || !kind.Keyed():
		return starlark.None, nil
	}
	const most = 1 << 20 // which takes some tenths of a second
	n := 0
	for walk := engine.NewWalk(m, 0); ; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b, err := walk.Next()
		var errno unix.Errno
		switch n += b.N; {
		case err == io.EOF:
			return starlark.MakeInt(n), nil
		case errors.As(err, &errno), errors.Is(err, engine.ErrBusy), n > most:
			return starlark.None, nil
		case err != nil:
			return nil, err
		}
	}
}
