package layout

import "go.starlark.net/starlark"

// Shown is what people see of the values of all CPUs.
func (p *PerCPU) Shown() starlark.Value {
	if !p.slot.Type.shows() {
		return p
	}
	return labelled{p, p.slot.Type.list("percpu", p.values())}
}

// Spread is the numbers of the CPUs; ok is false if they are no numbers.
func (p *PerCPU) Spread() (numbers []float64, ok bool) { return floats(p.values()) }

// Columns are what people see of each field of a struct: the values of all CPUs. They are nil if the values are no
// structs, or are seen as one text each.
func (p *PerCPU) Columns() []starlark.Value {
	record := p.slot.Type.record
	if record == nil || p.slot.Type.Printed() {
		return nil
	}
	columns := make([]starlark.Value, len(record.fields))
	for i, f := range record.fields {
		values := make(starlark.Tuple, p.slot.CPUs)
		for cpu := range values {
			values[cpu] = p.Index(cpu).(*Record).Field(i)
		}
		columns[i] = spread{labelled{values, f.typ.list("percpu", values)}, f.typ.shows()}
	}
	return columns
}

// spread is a field's values of all CPUs.
type spread struct {
	labelled
	texts bool // people see each of them as a text
}

func (s spread) Spread() (numbers []float64, ok bool) {
	if s.texts {
		return nil, false
	}
	return floats(s.Value.(starlark.Tuple))
}

// floats are numbers as nearly as floats have them; ok is false if some are none.
func floats(values starlark.Tuple) (numbers []float64, ok bool) {
	for _, v := range values {
		number, ok := starlark.AsFloat(v)
		if !ok {
			return nil, false
		}
		numbers = append(numbers, number)
	}
	return numbers, true
}
