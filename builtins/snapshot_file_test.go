package builtins_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
	"bpfsh/runtime/render"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

// inMemory runs a script on maps in memory.
func inMemory(source string) (string, error) {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	var out bytes.Buffer
	s := runtime.New(runtime.Config{Stdout: &out, Predeclared: library.Predeclared()})
	err := s.Run("test.star", []byte(source))
	return out.String(), errors.Join(err, s.Finish())
}

const many = `m = create("hash", key="u32", value="u64", max_entries=20000, name="m"); m.update_batch({n: n * n for n in range(20000)}); s = snapshot(m)
`

// TestSaveFull leaves what was there, and nothing else, where the file system is full.
func TestSaveFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "x.jsonl")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := inMemory(many + fmt.Sprintf("s.save(%q)", path))
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), path+": ") {
		t.Errorf("got %v, want that %s has no space", err, path)
	}
	holds(t, dir, "x.jsonl", "before")
}

// holds says that a directory has one file, and what is in it.
func holds(t *testing.T, dir, name, text string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != name {
			t.Errorf("%s is left", f.Name())
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != text {
		t.Errorf("%s holds %d bytes, %v, want %q", name, len(got), err, text)
	}
}

// interrupted runs a script in which the named operation is interrupted when it begins.
func interrupted(t *testing.T, op, source string) error {
	t.Helper()
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	var s *runtime.Session
	pressed := errors.New("pressed")
	var drawn bytes.Buffer
	armed := false
	library.SetDisplay(builtins.Display{Progress: func() *render.Progress {
		if armed {
			s.Interrupt(pressed)
		}
		return &render.Progress{Out: &drawn}
	}})
	predeclared := library.Predeclared()
	predeclared["arm"] = starlark.NewBuiltin("arm", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		armed = true
		return starlark.None, nil
	})
	s = runtime.New(runtime.Config{Predeclared: predeclared})
	err := s.Run("test.star", []byte(source))
	if !errors.Is(err, pressed) {
		t.Errorf("%s: got %v, want %v", op, err, pressed)
	}
	armed = false
	return errors.Join(s.Finish(), err)
}

// TestSnapshotInterrupted ends each operation on many entries, and leaves no half of anything.
func TestSnapshotInterrupted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.jsonl")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	const same = "defer(lambda: (m.count() == 20000 and m[3] == 9) or fail('something was written'))\n"
	for op, code := range map[string]string{
		"save":     fmt.Sprintf("arm(); s.save(%q)", path),
		"save gz":  fmt.Sprintf("arm(); s.save(%q)", path+".gz"),
		"snapshot": "arm(); snapshot(m)",
		"diff":     "arm(); diff(s, m)",
		"apply":    "arm(); apply(m, {})",
		"restore":  "m.update(3, 9); arm(); restore(m, s)",
	} {
		err := interrupted(t, op, many+same+code)
		if err != nil && strings.Contains(err.Error(), "something") {
			t.Errorf("%s: %v", op, err)
		}
		said, ok := errors.AsType[*builtins.Error](err)
		if writes := op == "apply" || op == "restore"; ok != writes || writes && !strings.Contains(said.Error(), ": stopped after 0: pressed") {
			t.Errorf("%s: it says %v", op, said)
		}
		holds(t, dir, "x.jsonl", "before")
	}
}

// TestSaveLink writes through a link, and to what is no file as it is.
func TestSaveLink(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("real", nil, 0o640), os.Symlink("real", "link"), unix.Mkfifo("pipe", 0o600)); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		text, err := os.ReadFile("pipe")
		read <- fmt.Sprint(string(text), err)
	}()
	if _, err := inMemory(many + `s.save("link"); s.save("pipe"); load_snapshot("real") == s or fail("it is another")`); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat("link"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if text := <-read; strings.Count(text, "\n") != 20002 || !strings.HasSuffix(text, "<nil>") {
		t.Errorf("the pipe gave %d lines", strings.Count(text, "\n"))
	}
}

// TestPipesWait waits for the other end of a pipe, and for what comes or goes through it, until the run is stopped.
func TestPipesWait(t *testing.T) {
	const open, move = "select", "IO wait"
	for _, row := range []struct{ code, waits string }{
		{"load_snapshot('pipe')", open}, {"s.save('pipe')", open}, {"write('pipe', 'x')", open},
		{"load_snapshot('/proc/self/fd/%d')", move}, {"s.save('/proc/self/fd/%d')", move}, {"write('/proc/self/fd/%d', 'x' * 1000000)", move},
	} {
		t.Run(row.code, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := unix.Mkfifo("pipe", 0o600); err != nil {
				t.Fatal(err)
			}
			if row.waits == move {
				both, err := os.OpenFile("pipe", os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer both.Close()
				row.code = fmt.Sprintf(row.code, both.Fd())
			}
			library := builtins.New(&memory.Engine{}, nil)
			defer library.Close()
			s := runtime.New(runtime.Config{Predeclared: library.Predeclared()})
			if err := chunk(s, many); err != nil {
				t.Fatal(err)
			}
			pressed, done := errors.New("pressed"), make(chan error, 1)
			go func() { done <- chunk(s, row.code) }()
			awaitState(t, row.waits, "runtime.(*Session).Chunk")
			if !s.Interrupt(pressed) {
				t.Error("nothing runs")
			}
			select {
			case err := <-done:
				if !errors.Is(err, pressed) {
					t.Errorf("got %v, want %v", err, pressed)
				}
			case <-time.After(10 * time.Second):
				t.Error("it waits for ever")
			}
			both, err := os.OpenFile("pipe", os.O_RDWR, 0) // who still opens it has the other end now
			if err != nil {
				t.Fatal(err)
			}
			both.Close()
		})
	}
}

// awaitState waits until a goroutine that runs a function is in a state, as the runtime calls it: "select", "IO wait".
func awaitState(t *testing.T, state, function string) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for range 10000 {
		for g := range strings.SplitSeq(string(stacks[:goruntime.Stack(stacks, true)]), "\n\n") {
			if first, rest, _ := strings.Cut(g, "\n"); strings.Contains(first, "["+state) && strings.Contains(rest, function) {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("no goroutine in %s is in the state %s:\n%s", function, state, stacks)
}

// loading gives bytes to load_snapshot.
func loading(text []byte, limit uint64) error {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	_, err := library.ReadSnapshot(new(starlark.Thread), bytes.NewReader(text), limit)
	return err
}

// saved is the file of a small map.
func smallFile(t testing.TB, key, value, entries string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.jsonl")
	if _, err := inMemory(fmt.Sprintf("m = create('hash', key=%q, value=%q, max_entries=1 << 20, name='m')\nm.update_batch(%s)\nsnapshot(m).save(%q)", key, value, entries, path)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// endless gives what is behind text over and over, up to some megabytes, compressed.
func endless(t *testing.T, text string, more func(i int) string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write([]byte(text))
	for i, n := 0, 0; n < 1<<22; i++ {
		piece := more(i)
		n += len(piece)
		z.Write([]byte(piece)) // into memory: Close would say
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLoadBombs ends early where a small file becomes a large one, and where it is one thing and says it is another.
func TestLoadBombs(t *testing.T) {
	file := string(smallFile(t, "u32", "u64", "{1: 1}"))
	head, rest, _ := strings.Cut(file, "\n")
	head += "\n"
	entry := strings.SplitAfter(rest, "\n")[0]
	spaces, long := strings.Repeat(" ", 1<<16), strings.Repeat("0", 1<<17)
	var whole bytes.Buffer
	z := gzip.NewWriter(&whole)
	z.Write([]byte(file))
	z.Close()
	for _, test := range []struct {
		name string
		text []byte
		want string
	}{
		{"a line without an end", endless(t, "", func(int) string { return spaces }), "line 1: it is longer than 1.0 MiB"},
		{"an entry without an end", endless(t, head, func(int) string { return spaces }), "line 2: it is longer than"},
		{"empty lines", endless(t, head, func(int) string { return "\n" }), "line 2: it is no JSON object"},
		{"one entry again and again", endless(t, head, func(int) string { return entry }), "line 3: key 1 is in line 2 already"},
		{"many entries", endless(t, head, func(i int) string { return fmt.Sprintf("{\"key\":%d,\"value\":0}\n", i) }), "its entries take more than 1.0 MiB: load_snapshot(path, max_bytes=...) allows more"},
		{"lists in lists", []byte(head + `{"key":` + strings.Repeat("[", 1<<19) + "\n"), "line 2: it is no"},
		{"a long number", []byte(head + `{"key":` + strings.Repeat("1", 1<<19) + `,"value":1}` + "\n"), "line 2: key: a number has too many digits"},
		{"large values", []byte(strings.NewReplacer(`"value_size":8`, `"value_size":268435456`, `"value_type":"u64"`, `"value_type":"bytes[268435456]"`).Replace(head) + entry), "line 1: its entries take more"},
		{"many CPUs", []byte(strings.NewReplacer(`"type":"hash"`, `"type":"percpu_hash"`, `"map_extra":0`, `"map_extra":0,"cpus":1000000000`).Replace(file)), "line 1: map.cpus: 1000000000 cannot be"},
		{"a long type", []byte(strings.Replace(head, `"u64"`, `"`+strings.Repeat("u64*", 1<<17)+`"`, 1)), "line 1: map.value_type: "},
		{"cut", whole.Bytes()[:whole.Len()-20], "the file was cut: what is compressed has no end"},
		{"cut at once", whole.Bytes()[:5], "the file was cut: what is compressed has no end"},
		{"not compressed", []byte("\x1f\x8b but no gzip"), "gzip: invalid header"},
		{"a wrong checksum", append(bytes.Clone(whole.Bytes()[:whole.Len()-8]), 0, 0, 0, 0, 0, 0, 0, 0), "checksum"},
		{"two files", append(bytes.Clone(whole.Bytes()), whole.Bytes()...), "line 4: something follows the line that ends the snapshot"},
		{"garbage behind", append(bytes.Clone(whole.Bytes()), "garbage"...), "line 4: "},
		{"no map", []byte(`{"bpfsh":"snapshot","version":1,"map":0}` + "\n"), "line 1: this is no snapshot: map: got number, want object"},
		{"a large number", []byte(strings.Replace(head, `"flags":0`, `"flags":1`+long, 1)), "map.flags: got number 1000"},
		{"less than nothing", []byte(strings.Replace(file, `"entries":1`, `"entries":-1`, 1)), "line 3: entries: got number -1, want uint"},
		{"many more", []byte(strings.Replace(file, `"entries":1`, `"entries":3`, 1)), "line 3: it says that there are 3 entries, and there are 1: lines were lost or added"},
		{"a long time", []byte(strings.Replace(head, `"time":"`, `"time":"`+long, 1)), `line 1: time: got "0000`},
		{"a time too late", []byte(strings.Replace(head, `"time":"`, `"time":"9999-12-31T23:59:59-23:00","host":"`, 1)), `line 1: time: got "9999-12-31T23:59:59-23:00", want one such as "2026-11-23T10:15:00Z"`},
		{"a long byte order", []byte(strings.Replace(head, `"byte_order":"`, `"byte_order":"`+long, 1)), `its bytes are of a machine with byte order "0000`},
		{"a long kind", []byte(strings.Replace(head, `"type":"`, `"type":"`+long, 1)), `map.type: there is no map type "0000`},
		{"a long version", []byte(strings.Replace(head, `"version":1`, `"version":"`+long+`"`, 1)), `it has version "\"0000`},
		{"a long word", []byte(strings.Replace(head, `"u64"`, `"u`+long[:1<<15]+`"`, 1)), `line 1: map.value_type: type "u0000`},
		{"a long name", []byte(head + `{"` + long + `":1}` + "\n"), `line 2: got "0000`},
		{"a long field", []byte(head + `{"end":"snapshot","` + long + `":1}` + "\n"), `line 2: it is no such JSON object: unknown field "0000`},
		{"an escape", []byte("\x1b]0;pwned\x07\n"), `line 1: this is no snapshot: it is no such JSON object: invalid character '\x1b'`},
		{"a hostile name", []byte(strings.Replace(file, `"name":"m"`, `"name":"\u001b[2J\u001b[2J\u001b[2J\u001b[2J\u001b[2J"`, 1)), `line 1: map.name: "\x1b[2J`},
	} {
		err := loading(test.text, 1<<20)
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: the error has %d bytes: %.200s", test.name, len(err.Error()), err)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\x1b\x07") {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

// FuzzLoadSnapshot reads anything. What can be read can be written, and is then the same.
func FuzzLoadSnapshot(f *testing.F) {
	for _, file := range [][]byte{
		smallFile(f, "u32", "u64", "{1: 1, 2: 2}"),
		smallFile(f, "ipv4", "struct { u8 a; f64 b; char c[4]; bytes d[2]; }", "{'10.0.0.1': (1, 0.5, 'x', b'ab')}"),
		smallFile(f, "struct { ipv6 a; be16 p; }", "struct { u8 a:3; u8 b:5; bool c; enum { A, B } e; mac m; }[2]", "{('::1', 5): [(1, 2, True, 'A', '00:11:22:33:44:55')] * 2}"),
	} {
		f.Add(file)
		f.Add(bytes.ReplaceAll(file, []byte(`"key":`), []byte(`"key": `)))
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(file)
		z.Close()
		f.Add(out.Bytes())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		library := builtins.New(&memory.Engine{}, nil)
		defer library.Close()
		thread := new(starlark.Thread)
		s, err := library.ReadSnapshot(thread, bytes.NewReader(text), 1<<20)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\x00") {
				t.Errorf("the error has what a terminal might obey: %q", err)
			}
			return
		}
		again(t, library, thread, s)
	})
}

// reformatted is a file as another program would write it: the fields in another order, and spaces between.
func reformatted(t *testing.T, text []byte) []byte {
	t.Helper()
	var out []byte
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(`{"key":`)) {
			d := json.NewDecoder(bytes.NewReader(line))
			d.UseNumber()
			var fields map[string]any
			if err := d.Decode(&fields); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			b, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			line = append(b, " \n"...)
		}
		out = append(out, line...)
	}
	return out
}

// again writes a snapshot and reads it, and wants the same.
func again(t *testing.T, library *builtins.Library, thread *starlark.Thread, s *builtins.Snapshot) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.jsonl")
	save, err := s.Attr("save")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := starlark.Call(thread, save, starlark.Tuple{starlark.String(path)}, nil); err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{text, reformatted(t, text)} {
		back, err := library.ReadSnapshot(thread, bytes.NewReader(text), 1<<30)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if equal, err := starlark.Equal(s, back); err != nil || !equal {
			t.Errorf("it comes back as another: %v\n%s", err, text)
		}
	}
}

// TestSaveForeignTypes keeps maps whose types have names that are none in C, and types that C has no word for: what was
// written is read again, and goes back into the map.
func TestSaveForeignTypes(t *testing.T) {
	u32 := &btf.Int{Name: "u32", Size: 4}
	names := []btf.Member{{Name: "p-ck ts", Type: u32}, {Name: "\x1b[2J\xff", Type: &btf.Enum{Name: "Foo<u32>", Size: 4, Values: []btf.EnumValue{{Name: "A\x1b\xff"}}}, Offset: 32}}
	overlap := []btf.Member{{Name: "a", Type: u32}, {Name: "b", Type: u32, Offset: 16}}
	for _, value := range []*btf.Struct{{Name: "Foo<u32>", Size: 8, Members: names}, {Size: 8, Members: overlap}} {
		e := &memory.Engine{}
		m, err := e.Create(engine.Spec{Type: 1, Name: "m", KeySize: 4, ValueSize: 8, MaxEntries: 8, Key: u32, Value: value})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := m.Update([]byte{1, 2, 3, 4}, []byte{5, 6, 7, 8, 0, 0, 0, 0}, 0); err != nil {
			t.Fatal(err)
		}
		library := builtins.New(e, nil)
		defer library.Close()
		path := filepath.Join(t.TempDir(), "x.jsonl")
		thread := new(starlark.Thread)
		globals, err := starlark.ExecFile(thread, "s.star", fmt.Sprintf("m = open('m')\nsnapshot(m).save(%q)\ns = load_snapshot(%[1]q)\nm.clear()\nrestore(m, s)\nd = diff(m, s)\nn = m.count()", path), library.Predeclared())
		if err != nil {
			t.Errorf("%v: %v", value, err)
			continue
		}
		if d, n := globals["d"], globals["n"]; d.Truth() || n != starlark.MakeInt(1) {
			t.Errorf("%v: it comes back as another: %v, %v entries", value, d, n)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := library.ReadSnapshot(thread, bytes.NewReader(reformatted(t, text)), 1<<20); err != nil {
			t.Errorf("%v: written otherwise, it is not read: %v", value, err)
		}
	}
}

// spellings are the types that random ones are made of.
var spellings = strings.Fields(`u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 be16 be32 be64 le16 le32 bool f32 f64 ipv4 ipv6 mac char[5] bytes[3] u8[3] ktime ifindex hex(u16)
	comm cidr4 ksym errno proto`)

// randomType is the spelling of a type of any kind.
func randomType(random *rand.Rand, depth int) string {
	switch n := random.IntN(10); {
	case depth > 2 || n < 4:
		return spellings[random.IntN(len(spellings))]
	case n < 5:
		return fmt.Sprintf("%s[%d]", randomType(random, depth+3), 1+random.IntN(4))
	case n < 6:
		return "enum : u8 { A = 1, B = 7, C }"
	default:
		word, end := []string{"struct", "union", "struct s"}[random.IntN(3)], []string{"", "", " __attribute__((packed))"}[random.IntN(3)]
		var sb strings.Builder
		sb.WriteString(word + " { ")
		for i := range 1 + random.IntN(4) {
			name := fmt.Sprintf("f%d", i)
			if random.IntN(5) == 0 {
				fmt.Fprintf(&sb, "u32 %s:%d; ", name, 1+random.IntN(31))
				continue
			}
			sb.WriteString(declared(randomType(random, depth+1), name) + "; ")
		}
		return sb.String() + "}" + end
	}
}

// declared is a field of a type: what follows the type of an element follows the name.
func declared(typ, name string) string {
	at := strings.LastIndexByte(typ, '}')
	if dims := strings.IndexByte(typ[at+1:], '['); dims >= 0 {
		at += 1 + dims
		return typ[:at] + " " + name + typ[at:]
	}
	return typ + " " + name
}

// FuzzSnapshotTypes keeps entries of random types with random bytes: they come back byte for byte.
func FuzzSnapshotTypes(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 5))
		key, err := layout.Parse(randomType(random, 0))
		if err != nil {
			t.Skip(err)
		}
		value, err := layout.Parse(randomType(random, 0))
		if err != nil {
			t.Skip(err)
		}
		e := &memory.Engine{Processors: 3}
		spec := engine.Spec{Type: []uint32{1, 5}[random.IntN(2)], Name: "m", KeySize: uint32(key.Size()), ValueSize: uint32(value.Size()), MaxEntries: 8, Key: key.BTF(), Value: value.BTF()}
		m, err := e.Create(spec)
		if err != nil {
			t.Skip(err)
		}
		defer m.Close()
		for range random.IntN(8) {
			k, v := make([]byte, spec.KeySize), make([]byte, m.Info().Stride())
			for _, b := range [][]byte{k, v} {
				for i := range b {
					if random.IntN(3) > 0 {
						b[i] = byte(random.Uint32())
					}
				}
			}
			if err := m.Update(k, v, 0); err != nil {
				t.Fatal(err)
			}
		}
		library := builtins.New(e, nil)
		defer library.Close()
		thread := new(starlark.Thread)
		globals, err := starlark.ExecFile(thread, "s.star", "s = snapshot(open('m'))", library.Predeclared())
		if err != nil {
			t.Fatal(err)
		}
		again(t, library, thread, globals["s"].(*builtins.Snapshot))
	})
}
