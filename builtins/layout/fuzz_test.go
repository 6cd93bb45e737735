package layout

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// FuzzParse: no text breaks the parser, and what parses has a spelling that is the same type's.
func FuzzParse(f *testing.F) {
	for _, src := range cTypes {
		f.Add(src)
	}
	for _, src := range []string{"u32", "unsigned long long int[2][3]", "enum e : u8 { A = -1, B, }", "void **", "struct bpf_spin_lock",
		"struct { char[16] a, b[2]; /* text */ const ipv6 c; };", "union { u8 :0, a:3; }", "bytes[0x10]"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		typ, err := Parse(src)
		if err != nil {
			return
		}
		if len(typ.name) <= maxSpelling {
			checkAgain(t, typ)
		}
		if typ.size <= 1<<12 {
			checkBytes(t, typ, make([]byte, typ.size))
		}
	})
}

// FuzzRoundTrip: any bytes of any type are written back as they were read. The input is the type, then the bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Fuzz(checkRoundTrip)
}

// FuzzValue: a value that a script may give is encoded, and decodes to an equal one. The input is the type, then the
// choices that make the value.
func FuzzValue(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Fuzz(checkValue)
}

// TestRandom is the two above with some inputs of every kind.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() []byte {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for range 5000 {
		shape, data := random(), random()
		checkRoundTrip(t, shape, data)
		checkValue(t, shape, data)
	}
}

func checkRoundTrip(t *testing.T, shape, data []byte) {
	typ, err := Of((&source{b: shape}).btf(0))
	if err != nil || typ.size > 1<<12 {
		return
	}
	b := make([]byte, typ.size)
	for i := range b {
		if len(data) > 0 {
			b[i] = data[i%len(data)]
		}
	}
	checkBytes(t, typ, b)
	if typ.size > 0 && !strings.Contains(typ.name, "@") {
		checkAgain(t, typ)
	}
}

func checkValue(t *testing.T, shape, data []byte) {
	typ, err := Of((&source{b: shape}).btf(0))
	if err != nil || typ.size > 1<<12 {
		return
	}
	given, ok := (&source{b: data}).value(typ)
	if !ok {
		return
	}
	b := []byte(strings.Repeat("\xaa", typ.size))
	if err := typ.Encode(b, given); err != nil {
		t.Fatalf("%s: %s: %v", typ, given, err)
	}
	if got := typ.Decode(b); !alike(got, given) {
		t.Fatalf("%s: %s was encoded as % x and decoded as %s", typ, given, b, got)
	}
}

// checkBytes decodes b and encodes what it gives, which must be b again. Whatever else a value can do, it must survive.
func checkBytes(t *testing.T, typ *Type, b []byte) {
	t.Helper()
	v := typ.Decode(b)
	again := []byte(strings.Repeat("\xaa", typ.size))
	if err := typ.Encode(again, v); err != nil {
		t.Fatalf("%s: % x decodes to %s, which does not encode: %v", typ, b, v, err)
	}
	if string(again) != string(b) {
		t.Fatalf("%s: % x decodes to %s, which encodes to % x", typ, b, v, again)
	}
	other := typ.Decode(again)
	if same, err := starlark.Equal(v, other); err != nil || !same {
		t.Fatalf("%s: %s is not equal to itself read again, %v", typ, v, err)
	}
	hash, err := v.Hash()
	if h, _ := other.Hash(); err != nil || h != hash {
		t.Fatalf("%s: %s has the hashes %d and %d, %v", typ, v, hash, h, err)
	}
	if r, ok := v.(*Record); ok {
		checkRecord(t, r)
	}
	slot := Slot{typ, 2}
	cpus := make([]byte, slot.Size())
	if err := slot.Encode(cpus, starlark.Tuple{v, v}); err != nil {
		t.Fatalf("%s: on two CPUs: %v", typ, err)
	}
	if got := slot.Decode(cpus).(*PerCPU).Index(1); got.String() != v.String() {
		t.Fatalf("%s: the second CPU has %s of %s", typ, got, v)
	}
}

// checkRecord looks at a record from all sides, and takes it apart and together again.
func checkRecord(t *testing.T, r *Record) {
	t.Helper()
	r.MarshalJSON()
	if c, err := starlark.Compare(syntax.LE, r, r); err == nil && !c {
		t.Fatalf("%s is greater than itself", r)
	}
	replaced := []byte(r.raw)
	given := items(r)
	for i, kv := range given {
		if v, found, err := r.Get(kv[0]); !found || err != nil || v.String() != r.Field(i).String() {
			t.Fatalf("%s has no %s: %v", r, kv[0], err)
		}
		if err := r.rt.put(replaced, i, kv[1]); err != nil {
			t.Fatalf("%s: field %s: %v", r, kv[0], err)
		}
	}
	if string(replaced) != r.raw {
		t.Fatalf("%s: % x becomes % x when each field is replaced by itself", r, r.raw, replaced)
	}
	if r.rt.shared {
		return
	}
	built := make([]byte, len(r.raw))
	if err := r.rt.encodeNamed(built, given, true); err != nil {
		t.Fatalf("%s from its fields: %v", r, err)
	}
	if again := r.rt.decode(built).(*Record); again.data() != r.data() {
		t.Fatalf("%s from its fields is %s", r, again)
	}
}
