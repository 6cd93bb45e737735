package layout

import (
	"testing"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

func TestJSON(t *testing.T) {
	check(t, nil, []expr{
		{`json.encode(T("struct { u64 a; i64 b; }")((1 << 64) - 1, -(1 << 63)))`, `{"a":18446744073709551615,"b":-9223372036854775808}`},
		{`json.encode(T("struct { u128 a; }")((1 << 128) - 1))`, `{"a":340282366920938463463374607431768211455}`},
		{`json.encode(T("struct { bytes a[3]; }")(b"\x00\xff\x1f"))`, `{"a":"00 ff 1f"}`},
		{`json.encode(T("struct { char a[8]; }")("<é\"&\n"))`, `{"a":"<é\"&\n"}`},
		{`json.encode(T("struct { char a[3]; }")(b"\xff\x00\x01"))`, `{"a":"ff 00 01"}`},
		{`json.encode(T("struct { ipv4 a; mac m; cidr4 c; }")("10.0.0.1", "02:00:5e:10:00:01", "10.0.0.0/8"))`, `{"a":"10.0.0.1","m":"02:00:5e:10:00:01","c":"10.0.0.0/8"}`},
		{`json.encode(T("struct { bool a, b; }")(True, 2))`, `{"a":true,"b":2}`},
		{`json.encode(T("struct { f64 a, b; f32 c; }")(1.0, 1e300, 0.5))`, `{"a":1.0,"b":1e+300,"c":0.5}`},
		{`json.encode(T("struct { f64 a; }")(float("nan")))`, `json.encode: field a: JSON has no nan`},
		{`json.encode(T("struct { f64 a; }")(float("-inf")))`, `json.encode: field a: JSON has no -inf`},
		{`json.encode(T("struct { f64 a[2]; }")(((1, float("inf")),)))`, `json.encode: field a: [1]: JSON has no +inf`},
		{`json.encode(T("struct { f64 a; }")(b"\1\0\0\0\0\0\xf8\x7f"))`, `{"a":"01 00 00 00 00 00 f8 7f"}`},
		{`json.encode(T("struct { u8 z; struct { u8 y; u8 x[2]; } in; }")(1, (2, (3, 4))))`, `{"z":1,"in":{"y":2,"x":[3,4]}}`},
		{`json.encode(T("struct { enum { TCP = 6 } a, b; }")(6, 7))`, `{"a":"TCP","b":7}`},
		{`json.encode([T("struct { u8 a; }")(1)])`, `[{"a":1}]`},
		{`json.decode(json.encode(T("struct { u64 a; }")((1 << 64) - 1)))`, `{"a": 18446744073709551615}`},
		{`json.encode(percpu("u64", 1, 2))`, `[1,2]`},
		{`json.encode(percpu("struct { u8 a; }", (1,), (2,)))`, `[{"a":1},{"a":2}]`},
		{`json.encode(percpu("struct { u8 a; f64 b; }", (1, 2), (3, 4)).mean())`, `{"a":2.0,"b":3.0}`},
	})
}

// Facts hold whatever a row gives: values of Starlark, and types.
func TestJSONFacts(t *testing.T) {
	dict := starlark.NewDict(1)
	dict.SetKey(starlark.String("a"), starlark.MakeInt(1))
	odd := starlark.NewDict(1)
	odd.SetKey(starlark.MakeInt(1), starlark.None)
	env := starlark.StringDict{"json": json.Module}
	for _, test := range []struct {
		name string
		v    starlark.Value
		want string
	}{
		{"none", starlark.None, `{"x":null}`},
		{"list", starlark.NewList([]starlark.Value{starlark.None, starlark.Tuple{}}), `{"x":[null,[]]}`},
		{"dict", dict, `{"x":{"a":1}}`},
		{"dict of numbers", odd, `json.encode: field x: JSON has no key 1`},
		{"type", mustParse(t, "u32[2]"), `{"x":"u32[2]"}`},
		{"facts", NewFacts("in").Add("y", starlark.True), `{"x":{"y":true}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			env["v"] = NewFacts("out").Add("x", test.v)
			if got := eval(env, "json.encode(v)"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
