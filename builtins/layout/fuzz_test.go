package layout

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
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
	f.Add([]byte("\x0a\x00\x05\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"), []byte("\xff\x00\x7f\x80"))
	f.Add([]byte("\x0b\x01\x06\x03\x08\x0c\x02\x09\x05\x01\x07\x0d\x04"), []byte("abc\x00\x00def"))
	f.Fuzz(func(t *testing.T, shape, data []byte) {
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
	})
}

// FuzzValue: a value that a script may give is encoded, and decodes to an equal one.
func FuzzValue(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x0a\x00\x05\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"), []byte("\xff\x00\x7f\x80"))
	f.Fuzz(func(t *testing.T, shape, data []byte) {
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
	})
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

// source makes choices out of the input of a fuzz test; at its end all are 0.
type source struct {
	b     []byte
	names int // given to fields so far
}

func (s *source) byte() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *source) pick(n int) int { return int(s.byte()) % n }

func (s *source) uint64() uint64 {
	var b [8]byte
	for i := range b {
		b[i] = s.byte()
	}
	return binary.LittleEndian.Uint64(b[:])
}

// btf makes a type of any kind.
func (s *source) btf(depth int) btf.Type {
	kinds := 12
	if depth > 3 {
		kinds = 9
	}
	switch s.pick(kinds) {
	case 0:
		return basic[s.pick(len(basic))].btf
	case 1:
		return namedBTF(named[s.pick(len(named))].name)
	case 2:
		return &btf.Pointer{Target: &btf.Void{}}
	case 3:
		return s.enum()
	case 4:
		return arrayType(&btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}, uint32(s.pick(20)))
	case 5:
		return arrayType(bytesElem, uint32(s.pick(20)))
	case 6:
		return &btf.Typedef{Name: []string{"ipv4", "mac", "__be32", "bytes", "x"}[s.pick(5)], Type: s.btf(depth + 1)}
	case 7:
		return &btf.Const{Type: &btf.TypeTag{Value: "t", Type: &btf.Volatile{Type: s.btf(depth + 1)}}}
	case 8:
		return &btf.Int{Name: "odd", Size: uint32(s.pick(18)), Encoding: btf.IntEncoding(s.pick(2))}
	case 9:
		return arrayType(s.btf(depth+1), uint32(s.pick(5)))
	default:
		return s.composite(depth)
	}
}

func (s *source) enum() btf.Type {
	e := &btf.Enum{Name: "e", Size: 1 << s.pick(4), Signed: s.pick(2) == 1}
	for i := range s.pick(4) {
		value := s.uint64()
		if e.Signed {
			value = uint64(signExtend(value, int(8*e.Size)))
		} else {
			value &= 1<<(8*e.Size) - 1
		}
		e.Values = append(e.Values, btf.EnumValue{Name: fmt.Sprintf("V%d", i), Value: value})
	}
	return e
}

// composite makes a struct or a union: as C lays it out, packed, or with room between the members.
func (s *source) composite(depth int) btf.Type {
	style := s.pick(8)
	lay := placer{union: style&1 == 1, packed: style&2 == 2}
	var members []btf.Member
	for range s.pick(6) {
		s.names++
		m := btf.Member{Name: fmt.Sprintf("f%d", s.names), Type: s.btf(depth + 1)}
		typ, err := Of(m.Type)
		if err != nil {
			continue
		}
		if integer, ok := integerOf(typ.codec); ok && s.pick(2) == 1 {
			m.BitfieldSize = btf.Bits(1 + s.pick(8*int(integer.size)))
			if _, isBool := typ.codec.(boolCodec); isBool {
				m.BitfieldSize = 1
			}
		} else if compositeOf(m.Type).word != "" && namedOf(m.Type) == nil && s.pick(2) == 1 {
			m.Name = ""
		}
		if style&4 == 4 && !lay.union {
			lay.end += 8 * s.pick(5)
		}
		m.Offset = btf.Bits(lay.member(m))
		members = append(members, m)
	}
	size := lay.size()
	if style&4 == 4 {
		size += s.pick(5)
	}
	if lay.union {
		return &btf.Union{Name: "u", Size: uint32(size), Members: members}
	}
	return &btf.Struct{Size: uint32(size), Members: members}
}

// value makes a value of a type as a script may give it. ok is false for a type that has none of its own.
func (s *source) value(t *Type) (v starlark.Value, ok bool) {
	switch c := t.codec.(type) {
	case intCodec:
		return s.integer(8*int(c.size), c.signed), true
	case boolCodec:
		return starlark.Bool(s.pick(2) == 1), true
	case enumCodec:
		if n := len(c.typ.Values); n > 0 {
			return c.decode(binary.LittleEndian.AppendUint64(nil, c.typ.Values[s.pick(n)].Value)), !hostBig
		}
		return s.integer(8*int(c.int.size), c.int.signed), true
	case floatCodec:
		return starlark.Float(int64(s.uint64()) >> s.pick(64) >> 40), true
	case textCodec:
		return starlark.String(strings.Repeat(string(rune('!'+s.pick(90))), s.pick(t.size+1))), true
	case ipCodec, macCodec, prefixCodec:
		b := make([]byte, t.size)
		for i := range b {
			b[i] = s.byte()
		}
		return c.decode(b), true
	case arrayCodec:
		list := starlark.NewList(nil)
		for range c.n {
			elem, ok := s.value(c.elem)
			if !ok {
				return nil, false
			}
			list.Append(elem)
		}
		return list, true
	case *recordType:
		return s.dict(c)
	default:
		return starlark.Bytes(strings.Repeat(string(rune(s.byte())), t.size))[:t.size], true
	}
}

func (s *source) dict(rt *recordType) (starlark.Value, bool) {
	if rt.shared {
		return nil, false
	}
	dict := starlark.NewDict(len(rt.fields))
	for _, f := range rt.fields {
		v, ok := s.value(f.typ)
		if c, isBits := f.codec.(bitCodec); isBits {
			v = s.integer(c.width, c.int.signed)
		}
		if !ok {
			return nil, false
		}
		dict.SetKey(starlark.String(f.name), v)
	}
	return dict, true
}

func (s *source) integer(width int, signed bool) starlark.Int {
	n := new(big.Int).SetUint64(s.uint64())
	n.Lsh(n, uint(8*s.pick(17)))
	lo, hi := limits(uint(width), signed)
	n.Mod(n, new(big.Int).Add(new(big.Int).Sub(hi, lo), big.NewInt(1)))
	return starlark.MakeBigInt(n.Add(n, lo))
}

// alike says that got is what given reads as.
func alike(got, given starlark.Value) bool {
	switch given := given.(type) {
	case *starlark.Dict:
		r := got.(*Record)
		for i, kv := range items(r) {
			v, _, _ := given.Get(kv[0])
			if bits, ok := r.rt.fields[i].codec.(bitCodec); ok {
				b := make([]byte, bits.base.size)
				if bits.base.Encode(b, v) != nil {
					return false
				}
				v = bits.base.Decode(b)
			}
			if !alike(kv[1], v) {
				return false
			}
		}
		return true
	case *starlark.List:
		tuple, ok := got.(starlark.Tuple)
		if !ok || len(tuple) != given.Len() {
			return false
		}
		for i, v := range tuple {
			if !alike(v, given.Index(i)) {
				return false
			}
		}
		return true
	default:
		same, err := starlark.Equal(got, given)
		return err == nil && same
	}
}
