package builtins_test

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
	"bpfsh/runtime/render"
)

// heldEngine is an engine whose maps are held by whom a test says, and that has no counts if it says so.
type heldEngine struct {
	engine.Engine
	holders   engine.Holders
	uncounted bool
}

func (e *heldEngine) Holders() (engine.Holders, error) { return e.holders, nil }

func (e *heldEngine) Counts() (map[uint32]int, error) {
	if e.uncounted {
		return nil, engine.NotSupported
	}
	return e.Engine.Counts()
}

const evil = "ev\x1b]0;il\x07\n"

func newHeld() *heldEngine {
	e := &heldEngine{Engine: &memory.Engine{Processors: 2}}
	e.holders = engine.Holders{
		Pins: engine.Held[string]{By: map[uint32][]string{1: {"/sys/fs/bpf/flows"}, 2: {"/sys/fs/bpf/a/long/path/to/a/pin", "/sys/fs/bpf/" + evil}}},
		Programs: engine.Held[engine.Program]{By: map[uint32][]engine.Program{
			1: {{ID: 31, Name: "xdp_fw", Type: 6}}, 2: {{ID: 31, Name: "xdp_fw", Type: 6}, {ID: 40, Name: evil, Type: 3}}}},
		Processes: engine.Held[engine.Process]{Partial: true, By: map[uint32][]engine.Process{
			1: {{PID: 812, Comm: "nginx"}}, 2: {{PID: 7, Comm: evil}, {PID: 812, Comm: "nginx"}, {PID: 99999, Comm: "a_long_one"}, {PID: 100000, Comm: "another"}}}},
		Hidden: []uint32{1},
	}
	return e
}

// heldMaps are maps of each sort that shows otherwise.
const heldMaps = `
flows = create("hash", key="ipv4", value="struct flow { u64 packets; u64 bytes; char comm[16]; u64 seen; }", max_entries=1024, name="flows")
flows.update_batch([("10.0.0.%d" % n, (n, n, "", 0)) for n in range(50)])
ct = create("lru_hash", key="struct { u32 saddr; u32 daddr; u16 sport; u16 dport; }", value="u64", max_entries=10, name="ct4_global")
ct.update_batch([((n, 0, 0, 0), n) for n in range(10)])
nearly = create("percpu_hash", key="u32", value="u64", max_entries=10, name="nearly")
nearly.update_batch([(n, [n] * cpus()) for n in range(9)])
pkts = create("array", value="u64", max_entries=4, name="pkts")
consts = create("array", value="u64", max_entries=1, name=".rodata")
consts.freeze()
jobs = create("queue", value="u32", max_entries=8, name="jobs")
ring = create("bloom_filter", value="u32", max_entries=8, name="seen")
routes = create("lpm_trie", key="cidr4", value="u32", max_entries=8, name="routes")
`

// shownBy runs code on an engine, and returns what it shows.
func shownBy(t *testing.T, e engine.Engine, o render.Options, code string) string {
	t.Helper()
	library := builtins.New(e, nil)
	defer library.Close()
	var out strings.Builder
	s := runtime.New(runtime.Config{Stdout: &out, Stderr: io.Discard, Predeclared: library.Predeclared()})
	library.SetDisplay(builtins.Display{Out: s.Output(), Options: func() render.Options { return o }})
	if err := s.Run("maps.star", []byte(code)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestMapsShown has the table of maps as it is at 80 and at 140 columns, without UTF-8, with colours, and where counts are
// not told.
func TestMapsShown(t *testing.T) {
	for _, row := range []struct {
		name      string
		o         render.Options
		uncounted bool
		want      string
	}{
		{"80", render.Options{Width: 80}, false, `
id  name        type          entries   max  full              memory
 1  flows       hash               50  1024  ▌            4%  112 KiB
 2  ct4_global  lru_hash           10    10  evicting   100%    976 B
 3  nearly      percpu_hash         9    10  █████████   90%    976 B
 4  pkts        array               4     4  fixed               32 B
 5  .rodata     array               1     1  fixed, frozen        8 B
 6  jobs        queue               …     8  …                   36 B
 7  seen        bloom_filter              8                       8 B
 8  routes      lpm_trie            …     8  …                    0 B
8 rows, without key_type, value_type, pins, processes, programs
`},
		{"140", render.Options{Width: 140}, false, `
id  name        type          entries   max  full              memory  pins                      processes                programs
 1  flows       hash               50  1024  ▌            4%  112 KiB  /sys/fs/bpf/flows         nginx(812)               xdp_fw(31)
 2  ct4_global  lru_hash           10    10  evicting   100%    976 B  /sys/fs/bpf/a/long/path…  ev\x1b]0;il\x07\n(7), …  xdp_fw(31), …
 3  nearly      percpu_hash         9    10  █████████   90%    976 B                            …
 4  pkts        array               4     4  fixed               32 B                            …
 5  .rodata     array               1     1  fixed, frozen        8 B                            …
 6  jobs        queue               …     8  …                   36 B                            …
 7  seen        bloom_filter              8                       8 B                            …
 8  routes      lpm_trie            …     8  …                    0 B                            …
8 rows, without key_type, value_type
`},
		{"all", render.Options{ASCII: true}, true, `
id  name        type          key_type                  value_type   entries   max  full            memory  pins                      processes                programs
 1  flows       hash          ipv4                      struct flow      ...  1024  ...            112 KiB  /sys/fs/bpf/flows         nginx(812)               xdp_fw(31)
 2  ct4_global  lru_hash      struct { u32 saddr; u32~  u64              ...    10  evicting         976 B  /sys/fs/bpf/a/long/path~  ev\x1b]0;il\x07\n(7), ~  xdp_fw(31), ~
 3  nearly      percpu_hash   u32                       u64              ...    10  ...              976 B                            ...
 4  pkts        array         u32                       u64                4     4  fixed             32 B                            ...
 5  .rodata     array         u32                       u64                1     1  fixed, frozen      8 B                            ...
 6  jobs        queue                                   u32              ...     8  ...               36 B                            ...
 7  seen        bloom_filter                            u32                      8                     8 B                            ...
 8  routes      lpm_trie      cidr4                     u32              ...     8  ...                0 B                            ...
8 rows
`},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newHeld()
			e.uncounted = row.uncounted
			if got := "\n" + shownBy(t, e, row.o, heldMaps+"show(maps())"); got != row.want {
				t.Errorf("got %s\nwant %s", got, row.want)
			}
		})
	}
	// A hundred times the float 29/100 is less than 29.
	const odd = `odd = create("hash", key="u32", value="u32", max_entries=100); odd.update_batch([(n, n) for n in range(29)]); show(maps())`
	if got := shownBy(t, &memory.Engine{Processors: 2}, render.Options{Width: 80}, odd); !strings.Contains(got, "  29%  ") {
		t.Errorf("29 of 100 entries are shown as\n%s", got)
	}
	const red, plain = "\x1b[1;31m", "\x1b[0m"
	got := shownBy(t, newHeld(), render.Options{Width: 80, Color: true}, heldMaps+"show(maps())")
	if want := red + "█████████   90%" + plain; strings.Count(got, red) != 1 || !strings.Contains(got, want) {
		t.Errorf("in colour, one map stands out, and it is the one that is nearly full:\n%s", got)
	}
}

// TestMapsRecords has what scripts and machines get: lists that are whole, and None of what is not known.
func TestMapsRecords(t *testing.T) {
	for _, row := range []struct{ code, want string }{
		{`show(maps("flows")[0], format="json")`, `{"id":1,"name":"flows","type":"hash","key_type":"ipv4",` +
			`"value_type":"struct flow { u64 packets; u64 bytes; char comm[16]; u64 seen; }","key_size":4,"value_size":40,"entries":50,"max_entries":1024,` +
			`"full":0.048828125,"evicting":false,"memory":114688,"frozen":false,"flags":0,"pins":["/sys/fs/bpf/flows"],` +
			`"processes":[{"pid":812,"comm":"nginx"}],"programs":[{"id":31,"name":"xdp_fw","type":"xdp"}],"unconsumed":null}`},
		{`m = maps("ct*")[0]; print(m.full, m.evicting, m.pins, len(m.processes), [p.name for p in m.programs], m.processes[0].comm == "ev\x1b]0;il\x07\n")`,
			`1.0 True ("/sys/fs/bpf/a/long/path/to/a/pin", "/sys/fs/bpf/ev\x1b]0;il\a\n") 4 ["xdp_fw", "ev\x1b]0;il\a\n"] True`},
		{`m = maps("pkts")[0]; print(m.entries, m.full, m.pins, m.processes, m.programs, m.value_type.size)`, `4 None () None () 8`},
		{`print([m.name for m in maps(pid=812)], [m.name for m in maps("f*", pid=7)], [m.name for m in maps(type="lru_hash", pid=7)])`, `["flows", "ct4_global"] [] ["ct4_global"]`},
		{`print(catch(maps, pid=1)[1], catch(maps, pid=1)[1].hint)`, `maps: process 1: this process may not look into it (EACCES) run it as root, or with CAP_SYS_PTRACE`},
		{`print(catch(maps, pid=2)[1])`, `maps: process 2: the memory engine has maps alone, no programs and no other objects`},
		{`print(catch(maps, pid=0)[1], catch(maps, pid=1 << 31)[1], catch(maps, pid="nginx")[1])`,
			`maps: pid: got 0, want the id of a process maps: pid: got 2147483648, want the id of a process maps: pid: got "nginx", want int`},
		{`print(catch(maps, program=31)[1])`, `maps: program id=31: the memory engine has maps alone, no programs and no other objects`},
		{`print(catch(maps, program="xdp_fw")[1], catch(maps, program=1.5)[1])`,
			`maps: program: there is no program "xdp_fw" maps: program: got float, want a program's id, name, or the path of its pin`},
		{`i = open("ct4_global").info(holders=True); print(len(i.pins), i.processes[1].pid, i.programs[0].id)`, `2 812 31`},
		{`i = open("pkts").info(holders=True); print(i.pins, i.processes, i.programs)`, `() None ()`},
		{`print(len({m: 1 for m in maps()}))`, `8`}, // they can be keys
	} {
		if got := shownBy(t, newHeld(), render.Options{}, heldMaps+row.code); got != row.want+"\n" {
			t.Errorf("%s\n got %s\nwant %s", row.code, got, row.want)
		}
	}
}

// TestMapsExplained: m? says what else holds the map, and lets nothing through that a terminal obeys.
func TestMapsExplained(t *testing.T) {
	got := shownBy(t, newHeld(), render.Options{ASCII: true}, heldMaps+"help(ct)")
	const want = `
  10 of 10 entries, pinned at /sys/fs/bpf/a/long/path/to/a/pin, pinned at
  /sys/fs/bpf/ev\x1b]0;il\x07\n, open in ev\x1b]0;il\x07\n(7), nginx(812),
  a_long_one(99999), ~, used by xdp_fw(31), ev\x1b]0;il\x07\n(40)
`
	if !strings.Contains(got, want) || strings.Contains(got, "\x1b") {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestMapsRing draws the bytes of a ring buffer as sizes, and how full it is where that is asked for.
func TestMapsRing(t *testing.T) {
	e := kerneltest.Engine(t)
	m := ringOf(t, e)
	for range 2 {
		if err := m.ProgramOutput(make([]byte, 1016), engine.AnyCPU); err != nil {
			t.Fatal(err)
		}
	}
	for source, want := range map[string]string{
		`maps(%q)`:             ` ringbuf +4\.0 KiB `,
		`maps(%q, count=True)`: ` ringbuf +2\.0 KiB +4\.0 KiB +█+ +50% `,
		`[open(%q).info()]`:    ` ringbuf .* 4\.0 KiB .* 2\.0 KiB `,
	} {
		got, err := code(e, fmt.Sprintf("show(%s, format=\"table\")", fmt.Sprintf(source, m.Info().Name)))
		if err != nil || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %v, want %s:\n%s", source, err, want, got)
		}
	}
}
