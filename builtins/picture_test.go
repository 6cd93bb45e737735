package builtins_test

import (
	"bytes"
	"testing"

	"bpfsh/builtins"
	"bpfsh/builtins/engine/memory"
	"bpfsh/builtins/layout"
	"bpfsh/runtime"
)

// TestPicturesOfValues is what people see of a map of eight CPUs, of which one does not run, and of lists.
func TestPicturesOfValues(t *testing.T) {
	const before = `
drops = create("percpu_hash", key="u32", value="u64", max_entries=4, name="drops")
drops[1] = [48210, 47733, 1203, 46901, 0, 49012, 48800, 120331]
flows = create("percpu_hash", key="u32", value="struct { u64 bytes; char who[4]; }", max_entries=4, name="flows")
flows[1] = [(cpu, "a") for cpu in range(8)]
`
	for _, test := range []struct{ code, want string }{
		{"drops", `
<percpu_hash "drops" key=u32 value=u64 id=1>
key          value
u32            u64
  1  362k ▄▄▁▄▁▄▄█
1 entry
`},
		{"flows", `
<percpu_hash "flows" key=u32 value=struct { u64 bytes; char who[4]; } id=2>
key        bytes  who
u32          u64  char[4]
  1  28 ▁▂▃▄▅▆▇█  percpu("a", "a", "a", "a", "a", "a", "a", "a")
1 entry
`},
		{"percpu(drops[1])", `
cpu0  48.2k  13.3%  │██████████████████▍
cpu1  47.7k  13.2%  │██████████████████▎
cpu2  1.20k   0.3%  │▌
cpu3  46.9k  12.9%  │█████████████████▉
cpu4      0   0.0%  │                                                ← offline
cpu5  49.0k  13.5%  │██████████████████▊
cpu6  48.8k  13.5%  │██████████████████▋
cpu7   120k  33.2%  │██████████████████████████████████████████████  ← 2.3× mean
sum 362k  mean 51.7k  max 120k  max/mean 2.3  ▄▄▁▄▁▄▄█
`},
		{"percpu([0, 3])", `
cpu0  0    0.0%  │                                                   ← idle
cpu1  3  100.0%  │█████████████████████████████████████████████████  ← 2.0× mean
sum 3  mean 1.50  max 3  max/mean 2.0  ▁█
`},
		{"top(drops, 1)", `
#  key  value   share     cum
1    1   362k  100.0%  100.0%  █████████████████████████████████████████████████
`},
		{`top({"a": -1, "b": 3}, 1)`, `
#  key  value
1  b        3
  … 1 more key
`},
		{`top([("a", 1), ("b", 2)], 1, by=lambda pair: pair[1])`, `
#  key  value  share    cum
1  b        2  66.7%  66.7%  ███████████████████████████████████████████████████
  … 1 more, 33.3% of the total
`},
		{`top(["b", "a"], 1)`, `
["b"]
`},
		{`changed(top([1, 2], 2))`, `
[2, 1, 3]
`},
		{`changed(top([1, 2], 2), drop=True)`, `
[2, 3]
`},
		{`list(top([1, 2], 2))`, `
[2, 1]
`},
	} {
		t.Run(test.code, func(t *testing.T) {
			online := func() ([]bool, bool) { return []bool{true, true, true, true, false, true, true, true}, true }
			library := builtins.New(&memory.Engine{Processors: 8}, &layout.Host{Online: online})
			defer library.Close()
			var out bytes.Buffer
			library.SetDisplay(builtins.Display{Out: &out})
			script := before + `
def changed(list, drop=False):
    if drop: list.pop()
    list.append(3)
    return list
show(` + test.code + ")\n"
			if err := runtime.New(runtime.Config{Predeclared: library.Predeclared()}).Run("picture.star", []byte(script)); err != nil {
				t.Fatal(err)
			}
			if got := "\n" + out.String(); got != test.want {
				t.Errorf("people see\n%s\nwant%s", got, test.want)
			}
		})
	}
}
