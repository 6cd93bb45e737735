package layout

import (
	"bytes"
	"fmt"

	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Slot is what a map keeps under one key: one value, or one for each CPU.
type Slot struct {
	*Type
	CPUs int // possible CPUs, for a per-CPU map; 0 for any other
}

// Stride is the distance of two CPUs' values: the size rounded up to 8 bytes, as the kernel does.
func (s Slot) Stride() int { return (s.Type.size + 7) &^ 7 }

// Size is the number of bytes under one key.
func (s Slot) Size() int {
	if s.CPUs == 0 {
		return s.Type.size
	}
	return s.Stride() * s.CPUs
}

// Decode reads b, which must have Size bytes. It keeps no reference to b.
func (s Slot) Decode(b []byte) starlark.Value {
	if s.CPUs == 0 {
		return s.Type.Decode(b)
	}
	return &PerCPU{s, bytes.Clone(b)}
}

// DecodeKept is Decode of bytes that nobody changes any more, so that the value may keep them.
func (s Slot) DecodeKept(b []byte) starlark.Value {
	if s.CPUs > 0 {
		return &PerCPU{s, b}
	}
	if s.Type.record != nil {
		return &Record{s.Type.record, b}
	}
	return s.Type.Decode(b)
}

// Keeps says whether the values keep the bytes that they are read from.
func (s Slot) Keeps() bool { return s.CPUs > 0 || s.Type.record != nil }

// Encode writes v to b, which must have Size bytes.
func (s Slot) Encode(b []byte, v starlark.Value) error {
	if s.CPUs == 0 {
		return s.Type.Encode(b, v)
	}
	if p, ok := v.(*PerCPU); ok && p.slot.CPUs == s.CPUs && p.slot.Type.name == s.Type.name {
		copy(b, p.raw)
		return nil
	}
	seq, ok := listed(v)
	if !ok {
		return badf("got %s, want one value for each of %s, such as [v] * cpus()", method.Describe(v), method.Counted(s.CPUs, "CPU"))
	}
	if seq.Len() != s.CPUs {
		why := ""
		if seq.Len() < s.CPUs {
			why = " (the kernel would set the rest to zero)"
		}
		return badf("got %s, want one for each of %s%s", method.Counted(seq.Len(), "value"), method.Counted(s.CPUs, "CPU"), why)
	}
	clear(b)
	for i := range s.CPUs {
		at := i * s.Stride()
		if err := s.Type.Encode(b[at:at+s.Type.size], seq.Index(i)); err != nil {
			return within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

// PerCPU is a value that has one element for each possible CPU.
type PerCPU struct {
	slot Slot
	raw  []byte // never written to
}

var (
	_ starlark.HasAttrs   = (*PerCPU)(nil)
	_ starlark.Indexable  = (*PerCPU)(nil)
	_ starlark.Sequence   = (*PerCPU)(nil)
	_ starlark.Comparable = (*PerCPU)(nil)
)

func (p *PerCPU) Type() string          { return "percpu" }
func (p *PerCPU) Freeze()               {} // it never changes
func (p *PerCPU) Truth() starlark.Bool  { return true }
func (p *PerCPU) Hash() (uint32, error) { return p.values().Hash() }
func (p *PerCPU) Len() int              { return p.slot.CPUs }
func (p *PerCPU) AttrNames() []string   { return perCPUTable.Names() }
func (p *PerCPU) String() string        { return "percpu" + p.values().String() }

// Index decodes the value of CPU i.
func (p *PerCPU) Index(i int) starlark.Value {
	at := i * p.slot.Stride()
	return p.slot.Type.Decode(p.raw[at : at+p.slot.Type.size])
}

func (p *PerCPU) Iterate() starlark.Iterator { return p.values().Iterate() }

func (p *PerCPU) Attr(name string) (starlark.Value, error) { return perCPUTable.Attr(p, name) }

func (p *PerCPU) values() starlark.Tuple {
	t := make(starlark.Tuple, p.slot.CPUs)
	for i := range t {
		t[i] = p.Index(i)
	}
	return t
}

// CompareSameType compares CPU by CPU, as tuples do.
func (p *PerCPU) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	return starlark.CompareDepth(op, p.values(), y.(*PerCPU).values(), depth)
}

var perCPUTable = method.NewTable("percpu", nil, perCPUMethods)

// PerCPUEntries is what per-CPU values say about themselves.
func PerCPUEntries() []method.Entry { return method.Entries("method", perCPUMethods) }

var perCPUMethods = []method.Row[*PerCPU]{{
	Name: "sum",
	Doc:  "The sum over all CPUs.\nOf a struct field by field, as a record; of an array element by element.",
	Example: `drops[1].sum()
sum(drops.values(), by=lambda value: value.sum())    # of all entries`,
	Run: func(p *PerCPU, _ method.Call) (starlark.Value, error) { return p.Sum() },
}, {
	Name:    "max",
	Doc:     "The greatest value of any CPU.\nOf a struct field by field, as a record; of an array element by element.",
	Example: `list(drops[1]).index(drops[1].max())    # the CPU that drops most`,
	Run: func(p *PerCPU, c method.Call) (starlark.Value, error) {
		return reduce(c.Name, p.values(), pick(syntax.GT))
	},
}, {
	Name:    "min",
	Doc:     "The least value of any CPU.\nOf a struct field by field, as a record; of an array element by element.",
	Example: `print(drops[1].min(), "to", drops[1].max(), "on each CPU")`,
	Run: func(p *PerCPU, c method.Call) (starlark.Value, error) {
		return reduce(c.Name, p.values(), pick(syntax.LT))
	},
}, {
	Name:    "mean",
	Doc:     "The mean over all CPUs, a float.\nOf a struct field by field, as a record; of an array element by element.",
	Example: `drops[1].max() / drops[1].mean()    # 1.0: each CPU drops as many`,
	Run: func(p *PerCPU, c method.Call) (starlark.Value, error) {
		return reduce(c.Name, p.values(), func(values starlark.Tuple) (starlark.Value, error) {
			total, err := sum(values)
			if err != nil {
				return nil, err
			}
			return starlark.Binary(syntax.SLASH, total, starlark.MakeInt(len(values)))
		})
	},
}}

// Sum is the sum over all CPUs: of a struct field by field, of an array element by element.
func (p *PerCPU) Sum() (starlark.Value, error) {
	if column, ok := p.slot.Column(""); ok {
		return column.Number(p.raw, 0).Value(), nil
	}
	return reduce("sum", p.values(), sum)
}

// reduce makes one value of many: numbers by f, records field by field, arrays element by element.
func reduce(name string, values starlark.Tuple, f func(starlark.Tuple) (starlark.Value, error)) (starlark.Value, error) {
	column := make(starlark.Tuple, len(values))
	switch first := values[0].(type) {
	case *Record:
		facts := NewFacts(name)
		for i, field := range first.rt.fields {
			if field.kernel != "" {
				continue
			}
			for j, v := range values {
				column[j] = v.(*Record).Field(i)
			}
			v, err := reduce(name, column, f)
			if err != nil {
				return nil, fmt.Errorf("%w (field %s)", err, field.name)
			}
			facts.Add(field.name, v)
		}
		return facts, nil
	case starlark.Tuple:
		result := make(starlark.Tuple, len(first))
		for i := range first {
			for j, v := range values {
				column[j] = v.(starlark.Tuple)[i]
			}
			v, err := reduce(name, column, f)
			if err != nil {
				return nil, err
			}
			result[i] = v
		}
		return result, nil
	}
	for _, v := range values {
		switch v.(type) {
		case starlark.Int, starlark.Float:
		default:
			return nil, fmt.Errorf("%s: %s is not a number", name, method.Describe(v))
		}
	}
	return f(values)
}

func sum(values starlark.Tuple) (total starlark.Value, err error) {
	total = starlark.MakeInt(0)
	for _, v := range values {
		if total, err = starlark.Binary(syntax.PLUS, total, v); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func pick(better syntax.Token) func(starlark.Tuple) (starlark.Value, error) {
	return func(values starlark.Tuple) (starlark.Value, error) {
		best := values[0]
		for _, v := range values[1:] {
			ok, err := starlark.Compare(better, v, best)
			if err != nil {
				return nil, err
			}
			if ok {
				best = v
			}
		}
		return best, nil
	}
}
