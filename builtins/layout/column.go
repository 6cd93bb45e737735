package layout

import "strings"

// Column reads one integer out of each of many values that lie one behind the other, without making values of them. Of
// values that each CPU has one of, it reads their sum.
type Column struct {
	offset int // in a value
	stride int // from value to value
	cpus   int // values of an entry; 0: one, and no sum
	int    intCodec
}

// Column finds the integer that a field of t is, or t itself if field is "". A dot leads into a field: "in.bytes". ok is
// false where it is no integer of at most 8 bytes: what is read of it must be decoded.
func (t *Type) Column(field string, stride int) (c Column, ok bool) {
	codec, offset := t.codec, 0
	for name := ""; field != ""; {
		if t.record == nil {
			return Column{}, false
		}
		name, field, _ = strings.Cut(field, ".")
		i, found := t.record.index[name]
		if !found {
			return Column{}, false
		}
		f := &t.record.fields[i]
		t, codec, offset = f.typ, f.codec, offset+f.start/8
	}
	integer, ok := codec.(intCodec)
	return Column{offset: offset, stride: stride, int: integer}, ok && integer.size <= 8
}

// Column is Type's, of what a map keeps under its keys.
func (s Slot) Column(field string) (c Column, ok bool) {
	if s.CPUs == 0 {
		return s.Type.Column(field, s.Type.size)
	}
	c, ok = s.Type.Column(field, s.Stride())
	c.cpus = s.CPUs
	return c, ok
}

// at is integer i, of a signed column with its sign in all bits above it. A column of sums has one for each CPU.
func (c Column) at(values []byte, i int) uint64 {
	at := i*c.stride + c.offset
	u := c.int.load(values[at : at+int(c.int.size)])
	if c.int.signed {
		return uint64(signExtend(u, 8*int(c.int.size)))
	}
	return u
}

// Number is the number of entry i.
func (c Column) Number(values []byte, i int) (t Total) {
	if c.cpus > 0 {
		t.Add(c, values[i*c.cpus*c.stride:], 1)
		return t
	}
	t.low = c.at(values, i)
	if c.int.signed {
		t.high = int64(t.low) >> 63
	}
	return t
}

// EachCPU calls f with what each CPU has of entry i of a column of sums.
func (c Column) EachCPU(values []byte, i int, f func(cpu int, number Total)) {
	one := c
	one.cpus = 0
	for cpu := range c.cpus {
		f(cpu, one.Number(values, i*c.cpus+cpu))
	}
}
