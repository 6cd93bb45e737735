package layout

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"github.com/cilium/ebpf/btf"
	"go.starlark.net/starlark"
)

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
	kinds := 16
	if depth > 3 {
		kinds = 12
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
		return hintTable[s.pick(len(hintTable))].around(s.btf(depth + 1))
	case 10:
		return kernelObjects[s.pick(len(kernelObjects))]
	case 11:
		target := []btf.Type{&btf.Void{}, &btf.Struct{Name: "task_struct"}, &btf.Fwd{Name: "cgroup"}}[s.pick(3)]
		return &btf.Pointer{Target: &btf.TypeTag{Value: []string{"kptr", "percpu_kptr", "user"}[s.pick(3)], Type: target}}
	case 12:
		return arrayType(s.btf(depth+1), uint32(s.pick(5)))
	case 13:
		return s.section(depth)
	default:
		return s.composite(depth)
	}
}

// name makes the n-th name of a struct or an enum: one of C, or one that another language allows.
func (s *source) name(prefix string, n int) string {
	return fmt.Sprintf("%s%s%d", prefix, []string{"", "", "", "-", "<u 32>", "\x1b\"", "\xff", "\u00e9\n"}[s.pick(8)], n)
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
		e.Values = append(e.Values, btf.EnumValue{Name: s.name("V", i), Value: value})
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
		m := btf.Member{Name: s.name("f", s.names), Type: s.btf(depth + 1)}
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

// section makes a section of variables, with room between some of them.
func (s *source) section(depth int) btf.Type {
	d := &btf.Datasec{Name: ".bss"}
	for range s.pick(4) {
		s.names++
		v := &btf.Var{Name: fmt.Sprintf("v%d", s.names), Type: s.btf(depth + 1)}
		size, err := btf.Sizeof(v.Type)
		if err != nil || size > 1<<12 {
			continue
		}
		d.Vars = append(d.Vars, btf.VarSecinfo{Type: v, Offset: d.Size, Size: uint32(size)})
		d.Size += uint32(size + s.pick(3))
	}
	return d
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
	case kernelCodec:
		return c.decode(make([]byte, t.size)), true
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
