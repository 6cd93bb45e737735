package builtins

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// byteOrder is how this machine keeps numbers.
var byteOrder = map[bool]string{true: "little", false: "big"}[binary.NativeEndian.Uint16([]byte{1, 0}) == 1]

// maxHeader is the most bytes of the first line, and what other lines may have beyond what their entries need.
const maxHeader = 1 << 20

func (l *Library) loadSnapshot(c method.Call) (starlark.Value, error) {
	path, err := c.String(0, "path")
	if err != nil {
		return nil, err
	}
	limit := uint64(1 << 30)
	if c.Args[1] != nil {
		if limit, err = c.Uint(1, "max_bytes", math.MaxInt64); err != nil {
			return nil, err
		}
	}
	ctx := runtime.Context(c.Thread)
	f, err := runtime.OpenFile(ctx, path, os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	var s *Snapshot
	err = runtime.UseFile(ctx, f, func(f *os.File) (err error) {
		s, err = l.ReadSnapshot(c.Thread, f, limit)
		return err
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Name, quotedPath(path), err)
	}
	return s, nil
}

// ReadSnapshot reads what save has written, compressed or not. limit is the most room that the entries may take, in
// bytes. The error names the line.
func (l *Library) ReadSnapshot(thread *starlark.Thread, in io.Reader, limit uint64) (*Snapshot, error) {
	const size = 1 << 16
	r := bufio.NewReaderSize(in, size)
	if magic, _ := r.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(r)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errCut
		}
		if err != nil {
			return nil, err
		}
		r = bufio.NewReaderSize(z, size)
	}
	p := l.progress("load_snapshot", nil)
	defer p.Done()
	f := &snapshotFile{lib: l, thread: thread, in: r, limit: limit, longest: maxHeader, progress: p}
	s, err := f.read(runtime.Context(thread))
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", max(1, f.line), err)
	}
	return s, nil
}

// errCut is the error of a compressed file without its end.
var errCut = errors.New("the file was cut: what is compressed has no end")

// snapshotFile is a file that is being read.
type snapshotFile struct {
	lib      *Library
	thread   *starlark.Thread
	in       *bufio.Reader
	limit    uint64
	longest  int // the most bytes of a line
	line     int
	buf      []byte
	progress *render.Progress

	m     *Map
	lines *entryLines
}

// next is the next line, without its end. io.EOF: there is none.
func (f *snapshotFile) next() ([]byte, error) {
	f.line++
	f.buf = f.buf[:0]
	for {
		part, err := f.in.ReadSlice('\n')
		f.buf = append(f.buf, part...)
		switch {
		case len(f.buf) > f.longest:
			return nil, fmt.Errorf("it is longer than %s, the most that a line here needs", render.Size(uint64(f.longest)))
		case err == nil:
			return f.buf[:len(f.buf)-1], nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(f.buf) > 0:
			return nil, errors.New("the file was cut: its last line has no end")
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errCut
		default:
			return nil, err
		}
	}
}

func (f *snapshotFile) read(ctx context.Context) (*Snapshot, error) {
	first, err := f.next()
	if err == io.EOF {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	s, err := f.header(first)
	if err != nil {
		return nil, err
	}
	for {
		const step = 1024
		if f.line%step == 0 {
			f.progress.Add(step)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
		line, err := f.next()
		if err == io.EOF {
			return nil, fmt.Errorf("the file was cut: it ends after %s, without the line that says how many there are", entriesIn(f.m.held.N))
		}
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(line, []byte(`{"end"`)) {
			return s, f.end(line)
		}
		if err := f.entry(line); err != nil {
			return nil, err
		}
	}
}

// end checks the last line.
func (f *snapshotFile) end(line []byte) error {
	var end struct {
		End     string `json:"end"`
		Entries *uint  `json:"entries"`
	}
	if err := strict(line, &end); err != nil {
		return err
	}
	switch n := f.m.held.N; {
	case end.End != fileKind || end.Entries == nil:
		return fmt.Errorf("got %s, want {\"end\":%q,\"entries\":%d}", quoted(string(line)), fileKind, n)
	case *end.Entries != uint(n):
		return fmt.Errorf("it says that there are %d entries, and there are %d: lines were lost or added", *end.Entries, n)
	}
	if _, err := f.next(); err != io.EOF {
		if err == nil {
			err = errors.New("something follows the line that ends the snapshot")
		}
		return err
	}
	return nil
}

// strict reads an object, all of whose names are known.
func strict(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return unreadable(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

// unreadable says of an error of encoding/json what it says, in this program's words.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is no JSON object")
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		want := e.Type.String()
		if e.Type.Kind() == reflect.Struct {
			want = "object"
		}
		return fmt.Errorf("%s: got %s, want %s", strings.ToLower(e.Field), shorten(e.Value), want)
	}
	return fmt.Errorf("it is no such JSON object: %s", shorten(strings.TrimPrefix(err.Error(), "json: ")))
}

// header reads the first line.
func (f *snapshotFile) header(line []byte) (*Snapshot, error) {
	var h struct {
		Bpfsh   string
		Version json.RawMessage
		Map     struct {
			ID         uint32
			Name, Type string
			KeySize    uint32 `json:"key_size"`
			ValueSize  uint32 `json:"value_size"`
			MaxEntries uint32 `json:"max_entries"`
			Flags      uint32
			MapExtra   uint64 `json:"map_extra"`
			KeyType    string `json:"key_type"`
			ValueType  string `json:"value_type"`
			CPUs       int
		}
		ByteOrder string `json:"byte_order"`
		Host      string
		Time      string
		Ktime     uint64
		Complete  bool
		Restarts  int
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, fmt.Errorf("this is no snapshot: %w", unreadable(err))
	}
	switch {
	case h.Bpfsh != fileKind:
		return nil, fmt.Errorf("this is no snapshot: it does not begin with {\"bpfsh\":%q", fileKind)
	case string(h.Version) != fmt.Sprint(fileVersion):
		return nil, fmt.Errorf("it has version %s, and this bpfsh reads version %d", quoted(string(h.Version)), fileVersion)
	case h.ByteOrder != byteOrder:
		return nil, fmt.Errorf("its bytes are of a machine with byte order %s, and this one has %s", quoted(h.ByteOrder), byteOrder)
	}
	at, err := time.Parse(time.RFC3339, h.Time)
	if year := at.UTC().Year(); h.Time != "" && (err != nil || year < 0 || year > 9999) {
		return nil, fmt.Errorf("time: got %s, want one such as \"2026-11-23T10:15:00Z\"", quoted(h.Time))
	}
	m := h.Map
	info := &engine.Info{ID: m.ID, Name: m.Name, KeySize: m.KeySize, ValueSize: m.ValueSize, MaxEntries: m.MaxEntries, Flags: m.Flags, MapExtra: m.MapExtra, CPUs: m.CPUs}
	var ok bool
	if info.Type, ok = engine.TypeByName(m.Type); !ok {
		return nil, fmt.Errorf("map.type: there is no map type %s%s", quoted(m.Type), method.DidYouMean(m.Type, engine.TypeNames()))
	}
	kind := engine.KindOf(info.Type)
	const maxCPUs = 1 << 14
	switch {
	case !kind.Keyed() || !kind.Has("lookup_batch"):
		return nil, fmt.Errorf("map.type: %s has no entries that can be read", article(kind.Name))
	case len(m.Name) > maxName:
		return nil, fmt.Errorf("map.name: %s has %d characters, and the kernel keeps %d", quoted(m.Name), len(m.Name), maxName)
	case kind.PerCPU != (m.CPUs > 0) || m.CPUs < 0 || m.CPUs > maxCPUs:
		return nil, fmt.Errorf("map.cpus: %d cannot be, of %s", m.CPUs, article(kind.Name))
	}
	key, err := f.typ("key", m.KeyType, m.KeySize)
	if err != nil {
		return nil, err
	}
	value, err := f.typ("value", m.ValueType, m.ValueSize)
	if err != nil {
		return nil, err
	}
	if kind.Trie && m.KeySize < 5 || (kind.Shape == engine.Indexed || kind.Shape == engine.Slots) && m.KeySize != 4 {
		return nil, fmt.Errorf("map.key_size: %d cannot be, of %s", m.KeySize, article(kind.Name))
	}
	f.m = &Map{
		lib: f.lib, thread: f.thread, info: info, kind: kind, key: key, value: layout.Slot{Type: value, CPUs: m.CPUs},
		held: engine.NewEntries(info, 0), keyBuf: make([]byte, m.KeySize),
	}
	if stride := uint64(m.ValueSize+7) * uint64(max(1, m.CPUs)); stride+uint64(m.KeySize) > f.limit {
		return nil, f.tooLarge()
	}
	f.m.valueBuf = make([]byte, info.Stride())
	f.lines = newEntryLines(f.m)
	if err := f.measure(); err != nil {
		return nil, err
	}
	return &Snapshot{m: f.m, time: at.Local(), ktime: h.Ktime, host: h.Host, complete: h.Complete, restarts: h.Restarts}, nil
}

// typ reads a type, which has to have a size.
func (f *snapshotFile) typ(of, spelling string, size uint32) (*layout.Type, error) {
	t, err := f.lib.types.Parse(spelling)
	if err != nil {
		return nil, fmt.Errorf("map.%s_type: %w", of, err)
	}
	if t.Size() != int(size) {
		return nil, fmt.Errorf("map.%s_type: %s has %d bytes, and map.%[1]s_size is %[4]d", of, shorten(t.String()), t.Size(), size)
	}
	return t, nil
}

// measure finds out how long lines can be, from those of entries that are all zeros and all ones. Where these would be
// large, nobody has shown yet that the file has such entries.
func (f *snapshotFile) measure() error {
	const large, each = 1 << 20, 16
	if size := len(f.m.keyBuf) + len(f.m.valueBuf); size > large {
		f.longest += each * size
		return nil
	}
	longest := 0
	for _, fill := range []byte{0, 0xff} {
		line, err := f.lines.line(bytes.Repeat([]byte{fill}, len(f.m.keyBuf)), bytes.Repeat([]byte{fill}, len(f.m.valueBuf)))
		if err != nil {
			return err
		}
		longest += len(line)
	}
	f.longest += 4 * longest
	return nil
}

func (f *snapshotFile) tooLarge() error {
	return fmt.Errorf("its entries take more than %s: load_snapshot(path, max_bytes=...) allows more", render.Size(f.limit))
}
