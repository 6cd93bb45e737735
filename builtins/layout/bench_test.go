package layout

import (
	"testing"

	"go.starlark.net/starlark"
)

// benchTypes are a plain key, a plain value, a struct as programs count with, and a key given as a tuple.
var benchTypes = []struct {
	name, spelling string
	value          starlark.Value // nil: what zeros decode to
}{
	{"u32", "u32", starlark.MakeInt(1 << 20)},
	{"u64", "u64", starlark.MakeUint64(1 << 40)},
	{"struct", "struct { u64 packets, bytes, first, last; u32 ifindex, mark; be16 sport, dport; u8 proto, flags; ipv4 saddr; char comm[16]; }", nil},
	{"tuple", "struct { ipv4 addr; be16 port; u8 proto; }", starlark.Tuple{starlark.String("10.0.0.1"), starlark.MakeInt(443), starlark.MakeInt(6)}},
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range benchTypes {
		b.Run(bench.name, func(b *testing.B) {
			t := mustParse(b, bench.spelling)
			raw := make([]byte, t.Size())
			b.ReportAllocs()
			for b.Loop() {
				t.Decode(raw)
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bench := range benchTypes {
		b.Run(bench.name, func(b *testing.B) {
			t := mustParse(b, bench.spelling)
			raw := make([]byte, t.Size())
			v := bench.value
			if v == nil {
				v = t.Decode(raw)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := t.Encode(raw, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkField reads one field of a record, as value.bytes does in a loop over a map.
func BenchmarkField(b *testing.B) {
	t := mustParse(b, benchTypes[2].spelling)
	r := t.Decode(make([]byte, t.Size())).(*Record)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Attr("bytes"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHash hashes a record, as each use as a dict's key does: with padding and without.
func BenchmarkHash(b *testing.B) {
	for _, bench := range []struct{ name, spelling string }{
		{"plain", "struct { ipv4 addr; be16 port; u8 proto, pad; }"},
		{"padded", "struct { ipv4 addr; be16 port; u8 proto; }"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			t := mustParse(b, bench.spelling)
			r := t.Decode(make([]byte, t.Size()))
			b.ReportAllocs()
			for b.Loop() {
				r.Hash()
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, benchTypes[2].spelling)
	}
}
