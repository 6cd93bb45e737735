package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// writes are the operations that change a hash of u32 to u32.
var writes = map[string]func(m engine.Map) error{
	"update": func(m engine.Map) error { return m.ProgramUpdate(number(1), number(10), 0, engine.AnyCPU) },
	"add": func(m engine.Map) error {
		_, _, err := m.ProgramAdd(number(1), 0, 4, 0, engine.AnyCPU)
		return err
	},
	"delete": func(m engine.Map) error {
		return errors.Join(m.ProgramDelete(number(1)), m.ProgramUpdate(number(1), number(10), 0, engine.AnyCPU))
	},
}

// What stops user space does not stop a program: that the map is frozen, or that the descriptor cannot write or read.
func TestProgramIsNotBound(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, c := range []struct {
		what  string
		flags uint32
	}{{"frozen", 0}, {"read-only descriptor", unix.BPF_F_RDONLY}, {"write-only descriptor", unix.BPF_F_WRONLY}} {
		t.Run(c.what, func(t *testing.T) {
			m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "hash"), KeySize: 4, ValueSize: 4, MaxEntries: 9, Flags: c.flags})
			if c.what == "frozen" {
				if err := m.Freeze(); err != nil {
					t.Fatal(err)
				}
			}
			refused := m.Update(number(1), number(10), 0)
			if c.flags == unix.BPF_F_WRONLY {
				refused = m.Lookup(number(1), number(0), 0)
			}
			if refused != unix.EPERM {
				t.Errorf("user space: %v, want EPERM", refused)
			}
			for _, op := range []string{"update", "add", "delete"} {
				if err := writes[op](m); err != nil {
					t.Errorf("%s by a program: %v", op, err)
				}
			}
			got := number(0)
			if err := m.ProgramLookup(number(1), got, engine.AnyCPU); err != nil || !bytes.Equal(got, number(10)) {
				t.Errorf("a program reads %x, %v", got, err)
			}
		})
	}
}

// A handle that was opened for reading does not write by a program either.
func TestProgramReadOnly(t *testing.T) {
	e := kerneltest.Engine(t)
	m := hash(t, e)
	if err := m.Update(number(1), number(10), 0); err != nil {
		t.Fatal(err)
	}
	opened, err := e.OpenID(m.Info().ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	queue := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "queue"), ValueSize: 4, MaxEntries: 9})
	openedQueue, err := e.OpenID(queue.Info().ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer openedQueue.Close()
	for round := range 2 { // before and after there are programs
		for op, write := range writes {
			if err := write(opened); !errors.Is(err, unix.EPERM) {
				t.Errorf("round %d: %s: %v, want EPERM", round, op, err)
			}
		}
		if push, pop := openedQueue.ProgramPush(number(1), 0), openedQueue.ProgramPop(number(0)); push != unix.EPERM || pop != unix.EPERM {
			t.Errorf("round %d: push %v, pop %v; want EPERM", round, push, pop)
		}
		if err := openedQueue.ProgramPeek(number(0)); err != unix.ENOENT {
			t.Errorf("round %d: peek: %v, want ENOENT", round, err)
		}
		holds(t, opened, 1, 10)
		got := number(0)
		if err := opened.ProgramLookup(number(1), got, engine.AnyCPU); err != nil || !bytes.Equal(got, number(10)) {
			t.Errorf("round %d: read %x, %v", round, got, err)
		}
	}
}

// A miss gives nothing of what an earlier operation has left, and an operation nothing of an earlier one's value.
func TestProgramLeavesNothing(t *testing.T) {
	e := kerneltest.Engine(t)
	m := hash(t, e)
	if err := m.ProgramUpdate(number(1), number(10), 0, engine.AnyCPU); err != nil {
		t.Fatal(err)
	}
	got := number(99)
	if err := m.ProgramLookup(number(1), got, engine.AnyCPU); err != nil || !bytes.Equal(got, number(10)) {
		t.Errorf("got %x, %v", got, err)
	}
	got = number(99)
	if err := m.ProgramLookup(number(2), got, engine.AnyCPU); err != unix.ENOENT || !bytes.Equal(got, number(99)) {
		t.Errorf("a miss: %x, %v; want what was there before, and ENOENT", got, err)
	}
	if sum, _, err := m.ProgramAdd(number(2), 0, 4, 1, engine.AnyCPU); err != unix.ENOENT || sum != 0 {
		t.Errorf("adding to a miss: %d, %v; want ENOENT", sum, err)
	}
	spinning := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "array"), KeySize: 4, ValueSize: 16, MaxEntries: 1, Key: u32, Value: locked})
	full := bytes.Repeat([]byte{0xff}, 16)
	if err := spinning.ProgramUpdate(number(0), full, 0, engine.AnyCPU); err != nil {
		t.Fatal(err)
	}
	if err := spinning.ProgramLookup(number(0), full, engine.AnyCPU); err != nil || !bytes.Equal(full[8:12], make([]byte, 4)) {
		t.Errorf("got %x, %v; want zeros for the lock", full, err)
	}
}

// programIDs are the programs that this process has open.
func programIDs(t testing.TB) (ids []string) {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range infos {
		text, _ := os.ReadFile(path)
		if i := strings.Index(string(text), "prog_id:"); i >= 0 {
			ids = append(ids, strings.Fields(string(text[i:]))[1])
		}
	}
	return ids
}

// mapped are the lines of /proc/self/maps for memory that is shared with programs.
func mapped(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "bpf-map")
}

// everything uses each kind of program that a hash can have.
func everything(t testing.TB, m engine.Map) {
	t.Helper()
	var old *engine.LoadError
	for _, op := range []string{"update", "add", "delete"} {
		if err := writes[op](m); err != nil {
			t.Error(err)
		}
	}
	if err := m.ProgramLookup(number(1), number(0), 0); err != nil {
		t.Error(err)
	}
	if _, err := m.ProgramCount(); err != nil && !(errors.As(err, &old) && old.Since != "") {
		t.Error(err)
	}
	if _, err := m.ProgramEntries(0); err != nil && !(errors.As(err, &old) && old.Since != "") {
		t.Error(err)
	}
}

// A program is loaded once for its operation, and goes with its handle, with the memory, and so does the map.
func TestProgramsLoadOnce(t *testing.T) {
	e := kerneltest.Engine(t)
	before, memory := len(programIDs(t)), mapped(t)
	m := hash(t, e)
	everything(t, m)
	first, all := fmt.Sprint(programIDs(t)), mapped(t)
	if n := len(programIDs(t)) - before; n < 4 || n > 5 {
		t.Errorf("%d programs, want one for each operation, and none for items", n)
	}
	if all-memory != 3 {
		t.Errorf("%d mappings, want control, keys and values", all-memory)
	}
	for range 3 {
		everything(t, m)
	}
	if again := fmt.Sprint(programIDs(t)); again != first {
		t.Errorf("programs %s became %s", first, again)
	}
	if mapped(t) != all {
		t.Errorf("%d mappings became %d", all, mapped(t))
	}
	id := m.Info().ID
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if n, n2 := len(programIDs(t)), mapped(t); n != before || n2 != memory {
		t.Errorf("after Close %d programs and %d mappings, want %d and %d", n, n2, before, memory)
	}
	gone(t, e, id)
}

// A handle that is dropped without Close gives up all that it had.
func TestProgramsOfDroppedHandle(t *testing.T) {
	e := kerneltest.Engine(t)
	before, memory := len(programIDs(t)), mapped(t)
	id := func() uint32 {
		m, err := e.Create(engine.Spec{Type: kerneltest.Type(t, "hash"), Name: "bpfsh_dropped", KeySize: 4, ValueSize: 4, MaxEntries: 9})
		if err != nil {
			t.Fatal(err)
		}
		everything(t, m)
		return m.Info().ID
	}()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		programs, mappings := len(programIDs(t)), mapped(t)
		if programs == before && mappings == memory {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d programs and %d mappings are left, want %d and %d", programs, mappings, before, memory)
		}
	}
	gone(t, e, id)
}

// A devmap is reached through another map, which goes too.
func TestProgramsOfDevmap(t *testing.T) {
	e := kerneltest.Engine(t)
	maps := func() (n int) {
		fds, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			if what, _ := os.Readlink(fd); what == "anon_inode:bpf-map" {
				n++
			}
		}
		return n
	}
	before := maps()
	m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, "devmap"), KeySize: 4, ValueSize: 4, MaxEntries: 4})
	if err := m.ProgramLookup(number(0), number(0), engine.AnyCPU); err != unix.ENOENT {
		t.Errorf("got %v, want ENOENT", err)
	}
	if during := maps(); during != before+5 {
		t.Errorf("%d maps, want the devmap, the one around it, control, key and value", during-before)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if after := maps(); after != before {
		t.Errorf("%d maps are left open", after-before)
	}
}

// user loads a program of a type that looks into a map. The kernel may let only its first type of program do so.
func user(m *ebpf.Map, typ ebpf.ProgramType, flags uint32) error {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: typ, Flags: flags, License: "GPL", Instructions: asm.Instructions{
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.Mov.Imm(asm.R0, 0), asm.Return(),
	}})
	if err == nil {
		prog.Close()
	}
	return err
}

// A devmap is for the type of program that uses it first. To look into one does not decide that, and works for all.
func TestDevmap(t *testing.T) {
	e := kerneltest.Engine(t)
	for _, typ := range []string{"devmap", "devmap_hash"} {
		for _, c := range []struct {
			name  string
			typ   ebpf.ProgramType
			flags uint32
		}{{"XDP", ebpf.XDP, 0}, {"XDP with fragments", ebpf.XDP, unix.BPF_F_XDP_HAS_FRAGS}, {"tc", ebpf.SchedCLS, 0}} {
			for _, first := range []string{"program", "look"} {
				t.Run(typ+" "+c.name+" "+first, func(t *testing.T) {
					m := kerneltest.Map(t, e, engine.Spec{Type: kerneltest.Type(t, typ), KeySize: 4, ValueSize: 4, MaxEntries: 4})
					if err := m.Update(number(0), number(1), 0); err != nil {
						t.Fatal(err)
					}
					use := func() {
						t.Helper()
						err := user(twin(t, m), c.typ, c.flags)
						if c.flags != 0 && errors.Is(err, unix.EINVAL) && kerneltest.Older("5.18") {
							t.Skipf("XDP has fragments since Linux 5.18: %v", err)
						}
						if err != nil {
							t.Errorf("a program is not loaded: %v", err)
						}
					}
					if first == "program" {
						use()
					}
					got := number(0)
					if err := m.ProgramLookup(number(0), got, engine.AnyCPU); err != nil || !bytes.Equal(got, number(1)) {
						t.Errorf("got %x, %v", got, err)
					}
					if err := m.ProgramLookup(number(1), got, engine.AnyCPU); err != unix.ENOENT {
						t.Errorf("an empty slot: %v, want ENOENT", err)
					}
					use()
				})
			}
		}
	}
}
