package layout

import (
	"testing"

	"go.starlark.net/starlark"
)

// fielder is what a table asks of a record.
type fielder interface {
	starlark.Value
	Fields() []string
	Field(i int) starlark.Value
}

func TestShown(t *testing.T) {
	host := testHost()
	for _, test := range []struct{ typ, value, want string }{
		{"u32", "7", "7"},
		{"char[4]", `"ab"`, `"ab"`},
		{"ipv4", `"10.0.0.1"`, `"10.0.0.1"`},
		{"f64", "1.5", "1.5"},

		{"ktime", "1000000000000", "2026-11-23 10:15:05.000Z (0s ago)"},
		{"ktime", "995750000000", "2026-11-23 10:15:00.750Z (4.2s ago)"},
		{"ktime", "999999600000", "2026-11-23 10:15:04.999Z (0s ago)"},
		{"ktime", "1300000000000", "2026-11-23 10:20:05.000Z (in 5m0s)"},
		{"ktime", "1", "2026-11-23 09:58:25.000Z (16m39s ago)"},
		{"ktime", "1000000000000 + 49 * 3600 * 1000000000", "2026-11-25 11:15:05.000Z (in 2d1h)"},
		{"ktime", "0", "0"},
		{"ktime", "1 << 63", "9223372036854775808?"},
		{"ktime(i64)", "-1", "-1?"},
		{"duration", "0", "0s"},
		{"duration", "999", "999ns"},
		{"duration", "1500000", "1.5ms"},
		{"duration", "1234567", "1.235ms"},
		{"duration", "1234567890", "1.235s"},
		{"duration", "754321654321", "12m34.322s"},
		{"duration", "3 * 3600 * 1000000000 + 1500000000", "3h0m2s"},
		{"duration(i64)", "-1500000000", "-1.5s"},
		{"duration", "1 << 63", "9223372036854775808?"},
		{"ifindex", "2", "eth0 (2)"},
		{"ifindex", "7", "7?"},
		{"ifindex", "0", "0"},
		{"ifindex(i32)", "-1", "-1?"},
		{"uid", "0", "root (0)"},
		{"uid", "4294967295", "4294967295?"},
		{"errno", "2", "ENOENT (2)"},
		{"signal", "9", "SIGKILL (9)"},
		{"signal", "99", "99?"},
		{"signal(u8)", "0", "0"},
		{"pid", "7", "sshd (7)"},
		{"pid", "8", "8?"},
		{"cgroup", "42", "/system.slice (42)"},
		{"cgroup", "43", "43?"},
		{"dev", "0x800001", "8:1"},
		{"errno", "-2", "ENOENT (-2)"},
		{"errno(i64)", "-2", "ENOENT (-2)"},
		{"errno", "0", "0"},
		{"errno", "-9999", "-9999?"},
		{"ksym", "0xffffffff81000012", "tcp_v4_rcv+0x12"},
		{"ksym", "0x1234", "0x0000000000001234?"},
		{"ksym", "0", "0x0000000000000000"},
		{"proto", "6", "TCP (6)"},
		{"proto", "200", "200?"},
		{"proto", "0", "0"},
		{"hex(u8)", "10", "0x0a"},
		{"hex(u16)", "10", "0x000a"},
		{"hex(i32)", "-2", "0xfffffffe"},
		{"hex(u128)", "1 << 100", "0x00000010000000000000000000000000"},
		{"hex(be32)", "1", "0x00000001"},
		{"void *", "0xffff888000000000", "0xffff888000000000"},

		{"bool", "True", "True"},
		{"bool", "2", "2?"},
		{"enum { A = 1 }", `"A"`, `"A"`},
		{"enum { A = 1 }", "2", "2?"},

		{"ifindex[2]", "(2, 3)", "(eth0 (2), 3?)"},
		{"ifindex[1]", "(2,)", "(eth0 (2),)"},
		{"u8[2]", "(2, 3)", "(2, 3)"},
		{"struct flow { ifindex dev; u32 n; }", "(2, 5)", "flow(dev=eth0 (2), n=5)"},
		{"struct { struct { hex(u8) a; } in; hex(u8) flags : 3; struct bpf_timer t; char c[2]; }", `{"in": (10,), "flags": 5, "c": "x"}`,
			`record(in=record(a=0x0a), flags=0x05, t=<bpf_timer>, c="x")`},
		{"struct { struct { hex(u8) a; } in[2]; }", "([(1,), (2,)],)", "record(in=(record(a=0x01), record(a=0x02)))"},
		{"struct { u8 a; }", "(1,)", "record(a=1)"},
		{"union { hex(u32) a; u32 b; }", `{"a": 1}`, "record(a=0x00000001, b=1)"},
	} {
		t.Run(test.typ+" "+test.value, func(t *testing.T) {
			typ, err := host.Parse(test.typ)
			if err != nil {
				t.Fatal(err)
			}
			v, b := evalValue(t, typ, test.value)
			if got := typ.Shown(v).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			plain := mustParse(t, test.typ).Decode(b) // the value of a script is the same with and without a host
			if same, err := starlark.Equal(plain, v); !same || err != nil || v.String() != plain.String() {
				t.Errorf("the value is %s, without a host %s", v, plain)
			}
		})
	}
}

// Without a host, a number stays a number.
func TestShownWithout(t *testing.T) {
	for typ, want := range map[string]string{
		"ktime": "5", "duration": "5ns", "ifindex": "5", "uid": "5", "errno": "5", "ksym": "0x0000000000000005", "proto": "5?", "hex(u8)": "0x05",
	} {
		for _, host := range []*Host{nil, {}} {
			compiled, err := host.Parse(typ)
			if err != nil {
				t.Fatal(err)
			}
			if got := compiled.Shown(starlark.MakeInt(5)).String(); got != want {
				t.Errorf("%s: got %s, want %s", typ, got, want)
			}
		}
	}
}

// A shown record is a record to whoever makes a table of it, and its fields are as they are shown.
func TestShownRecord(t *testing.T) {
	typ, err := testHost().Parse("struct { ifindex dev; u32 n; char c[2]; }")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := evalValue(t, typ, `(2, 5, "ab")`)
	shown, ok := v.(*Record).Shown().(fielder)
	if !ok || shown.Type() != "record" || len(shown.Fields()) != 3 {
		t.Fatalf("got %v", shown)
	}
	if got := shown.Field(0); got.String() != "eth0 (2)" || got.Type() != "int" {
		t.Errorf("dev is %s", got)
	}
	if got := shown.Field(1); got != starlark.MakeInt(5) {
		t.Errorf("n is %v", got)
	}
	if got := shown.Field(2); got != starlark.String("ab") {
		t.Errorf("c is %v", got)
	}
	if plain := mustParse(t, "struct { u8 a; }").Decode([]byte{1}).(*Record); plain.Shown() != starlark.Value(plain) {
		t.Errorf("a record without hints is shown as %v", plain.Shown())
	}
}

func TestShownPerCPU(t *testing.T) {
	for _, test := range []struct{ typ, want string }{
		{"ifindex", "percpu(eth0 (2), 3?)"},
		{"u32", "percpu(2, 3)"},
		{"struct { ifindex dev; }", "percpu(record(dev=eth0 (2)), record(dev=3?))"},
	} {
		typ, err := testHost().Parse(test.typ)
		if err != nil {
			t.Fatal(err)
		}
		slot := Slot{typ, 2}
		b := make([]byte, slot.Size())
		b[0], b[8] = 2, 3
		v := slot.Decode(b)
		if got := slot.Shown(v).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", typ, got, test.want)
		}
		single := Slot{typ, 0}
		if got, want := single.Shown(typ.Decode(b[:4])).String(), typ.Shown(typ.Decode(b[:4])).String(); got != want {
			t.Errorf("%s: got %s, want %s", typ, got, want)
		}
	}
}

// evalValue is a value of typ, made from a Starlark expression, and its bytes.
func evalValue(t *testing.T, typ *Type, src string) (starlark.Value, []byte) {
	t.Helper()
	given, err := starlark.Eval(new(starlark.Thread), "test", src, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, typ.Size())
	if err := typ.Encode(b, given); err != nil {
		t.Fatal(err)
	}
	return typ.Decode(b), b
}
