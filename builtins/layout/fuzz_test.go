package layout

import (
	"bytes"
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
		typ, err := testHost().Parse(src)
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

// FuzzHints: no hint breaks a type, and the bytes of one that is taken are still written back as they were read. The
// input is the type, the bytes, and the hint.
func FuzzHints(f *testing.F) {
	for _, h := range hintTable {
		f.Add([]byte{12, 0}, []byte{}, h.name)
	}
	f.Add([]byte{15, 0}, []byte{}, "struct flow_key")
	f.Fuzz(checkHint)
}

// TestRandom is the four above with some inputs of every kind.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() []byte {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	hints := []string{"hex", "ktime", "ipv4", "errno", "mac", "u32"}
	for i := range 5000 {
		shape, data := random(), random()
		checkRoundTrip(t, shape, data)
		checkValue(t, shape, data)
		checkHint(t, shape, data, hints[i%len(hints)])
	}
}

// checkHint puts a hint in each place of a type where it fits.
func checkHint(t *testing.T, shape, data []byte, hint string) {
	typ, err := testHost().Of((&source{b: shape}).btf(0))
	if err != nil || typ.size > 1<<10 {
		return
	}
	places := map[string]*Type{}
	addPlaces(places, typ, "")
	for path, place := range places {
		hinted, err := typ.WithHints(map[string]string{path: hint})
		if err != nil {
			continue
		}
		if hinted.size != typ.size {
			t.Fatalf("%s with %s as %s is %s", typ, path, hint, hinted)
		}
		b := fill(data, typ.size)
		checkBytes(t, hinted, b)
		if h := hintByName(hint); h != nil && place.takes(h) && hinted.Decode(b).String() != typ.Decode(b).String() {
			t.Fatalf("%s: % x with %s as %s is %s, was %s", typ, b, path, hint, hinted.Decode(b), typ.Decode(b))
		}
	}
}

// addPlaces adds the paths of a type's fields, and of the fields in them.
func addPlaces(places map[string]*Type, t *Type, path string) {
	places[path] = t
	if a, ok := t.codec.(arrayCodec); ok {
		t = a.elem
	}
	if t.record == nil || len(places) > 50 {
		return
	}
	for _, f := range t.record.fields {
		addPlaces(places, f.typ, strings.TrimPrefix(path+"."+f.name, "."))
	}
}

// takes says that the type is a number that the hint can stand around, or an array of such.
func (t *Type) takes(h *hint) bool {
	if a, ok := t.codec.(arrayCodec); ok {
		t = a.elem
	}
	return h.fits(t.btf)
}

// fill is size bytes out of data, over and over.
func fill(data []byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		if len(data) > 0 {
			b[i] = data[i%len(data)]
		}
	}
	return b
}

func checkRoundTrip(t *testing.T, shape, data []byte) {
	typ, err := testHost().Of((&source{b: shape}).btf(0))
	if err != nil || typ.size > 1<<12 {
		return
	}
	checkBytes(t, typ, fill(data, typ.size))
	if typ.size > 0 && !strings.Contains(typ.name, "@") {
		checkAgain(t, typ)
	}
	checkKept(t, typ)
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
	if v.String() != other.String() || typ.Shown(v).String() != typ.Shown(other).String() {
		t.Fatalf("%s: %s is written and shown as %s, and read again as %s", typ, v, typ.Shown(v), other)
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
	replaced := bytes.Clone(r.raw)
	given := items(r)
	for i, kv := range given {
		if v, found, err := r.Get(kv[0]); !found || err != nil || v.String() != r.Field(i).String() {
			t.Fatalf("%s has no %s: %v", r, kv[0], err)
		}
		if err := r.rt.put(replaced, i, kv[1]); err != nil {
			t.Fatalf("%s: field %s: %v", r, kv[0], err)
		}
	}
	if !bytes.Equal(replaced, r.raw) {
		t.Fatalf("%s: % x becomes % x when each field is replaced by itself", r, r.raw, replaced)
	}
	if r.rt.shared {
		return
	}
	built := make([]byte, len(r.raw))
	if err := r.rt.encodeNamed(built, given, true); err != nil {
		t.Fatalf("%s from its fields: %v", r, err)
	}
	if again := r.rt.decode(built).(*Record); !bytes.Equal(again.data(), r.data()) {
		t.Fatalf("%s from its fields is %s", r, again)
	}
}
