package builtins

import (
	"fmt"

	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// Skew is what percpu returns: how much each CPU has.
type Skew struct {
	values  []quantity
	offline []bool // nil: that is not known
}

var (
	_ starlark.HasAttrs  = (*Skew)(nil)
	_ starlark.Indexable = (*Skew)(nil)
	_ starlark.Sequence  = (*Skew)(nil)
	_ part               = (*Skew)(nil)
)

var skewAttrs = []method.Attr[*Skew]{
	{Name: "sum", Doc: "What all CPUs have together.", Get: func(s *Skew) (starlark.Value, error) { return s.sum().value(), nil }},
	{Name: "mean", Doc: "What a CPU has in the mean, a float.", Get: func(s *Skew) (starlark.Value, error) { return starlark.Float(s.picture().Mean()), nil }},
	{Name: "max", Doc: "What the CPU has that has most.", Get: func(s *Skew) (starlark.Value, error) { return s.greatest().value(), nil }},
	{Name: "ratio", Doc: "max beside mean: 1.0 if all CPUs have the same. 0.0 if none has any.", Get: func(s *Skew) (starlark.Value, error) { return starlark.Float(s.picture().Ratio()), nil }},
}

var skewTable = method.NewTable[*Skew]("skew", skewAttrs)

func (s *Skew) sum() (sum quantity) {
	for _, v := range s.values {
		sum = sum.plus(v)
	}
	return sum
}

func (s *Skew) greatest() quantity {
	most := s.values[0]
	for _, v := range s.values {
		if v.compare(most) > 0 {
			most = v
		}
	}
	return most
}

func (s *Skew) picture() *render.Skew {
	p := &render.Skew{Offline: s.offline}
	for _, v := range s.values {
		p.Values = append(p.Values, v.float())
	}
	return p
}

func (s *Skew) Type() string          { return "skew" }
func (s *Skew) Freeze()               {} // it never changes
func (s *Skew) Truth() starlark.Bool  { return s.sum().compare(quantity{}) != 0 }
func (s *Skew) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: skew") }
func (s *Skew) AttrNames() []string   { return skewTable.Names() }
func (s *Skew) Len() int              { return len(s.values) }
func (s *Skew) size() float64         { return 0 } // the fields of a struct stay in their order

func (s *Skew) Attr(name string) (starlark.Value, error) { return skewTable.Attr(s, name) }

func (s *Skew) String() string {
	return fmt.Sprintf("<skew of %s on %d CPUs, max/mean %.1f>", s.sum().value(), len(s.values), s.picture().Ratio())
}

// Index is what a CPU has.
func (s *Skew) Index(i int) starlark.Value {
	facts := layout.NewFacts("cpu")
	for j, v := range s.rows()[i] {
		facts.Add(skewColumns[j].Name, v)
	}
	return facts
}

func (s *Skew) Iterate() starlark.Iterator {
	all := starlark.Tuple{}
	for i := range s.values {
		all = append(all, s.Index(i))
	}
	return all.Iterate()
}

// Picture is bars.
func (s *Skew) Picture() render.Picture { return s.picture() }

func (s *Skew) labelled(label string) render.Picture {
	p := s.picture()
	p.Label = label
	return p
}

var skewColumns = []render.Column{{Name: "cpu"}, {Name: "online"}, {Name: "value"}, {Name: "share"}}

// Rows are the CPUs. online is None where that is not known, and share where it would say nothing.
func (s *Skew) Rows() (render.Rows, error) { return &sliceRows{skewColumns, s.rows()}, nil }

func (s *Skew) rows() (rows [][]starlark.Value) {
	sum, shares := s.sum().float(), s.picture().Ratio() > 0
	for i, v := range s.values {
		var online, share starlark.Value = starlark.None, starlark.None
		if s.offline != nil {
			online = starlark.Bool(!s.offline[i])
		}
		if shares {
			share = starlark.Float(v.float() / sum)
		}
		rows = append(rows, []starlark.Value{starlark.MakeInt(i), online, v.value(), share})
	}
	return rows
}

// MarshalJSON is json.encode of the rows.
func (s *Skew) MarshalJSON() ([]byte, error) { return render.JSON(s) }
