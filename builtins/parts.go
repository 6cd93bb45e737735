package builtins

import (
	"fmt"
	"sort"
	"strings"

	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// part is a picture of some of the elements.
type part interface {
	render.Pictured
	render.Rower
	labelled(label string) render.Picture
	rows() [][]starlark.Value
	size() float64 // what comes first has most
}

// Parts are pictures by what they are of: what hist returns with per, and percpu of structs.
type Parts struct {
	head string         // what the keys are
	dict *starlark.Dict // of part

	picks func(starlark.Value) (starlark.Value, error) // what an element belongs to; nil: to the one there is
	fresh func() part                                  // one of nothing
}

var (
	_ starlark.IterableMapping = (*Parts)(nil)
	_ starlark.Sequence        = (*Parts)(nil)
	_ starlark.HasAttrs        = (*Parts)(nil)
	_ render.Pictured          = (*Parts)(nil)
	_ render.Rower             = (*Parts)(nil)
)

// newParts reads a per argument.
func newParts(c method.Call, i int, fresh func() part) (*Parts, error) {
	p := &Parts{head: "per", dict: starlark.NewDict(0), fresh: fresh}
	switch per := c.Args[i].(type) {
	case nil, starlark.NoneType:
	case starlark.String:
		p.head = string(per)
		p.picks = func(v starlark.Value) (starlark.Value, error) { return field(v, string(per)) }
	case starlark.Callable:
		p.picks = func(v starlark.Value) (starlark.Value, error) {
			return starlark.Call(c.Thread, per, starlark.Tuple{v}, nil)
		}
	default:
		return nil, c.Bad("per", per, "the name of a field, or a function")
	}
	return p, nil
}

// of is the part that an element belongs to.
func (p *Parts) of(element starlark.Value) (part, error) {
	var key starlark.Value = starlark.None
	if p.picks != nil {
		var err error
		if key, err = p.picks(element); err != nil {
			return nil, err
		}
	}
	v, found, err := p.dict.Get(key)
	if err != nil {
		return nil, fmt.Errorf("per: %w", err)
	}
	if !found {
		v = p.fresh()
		p.dict.SetKey(key, v) // it was hashable
	}
	return v.(part), nil
}

// value is what scripts get: all parts, those with most first, or the one there is.
func (p *Parts) value() starlark.Value {
	if p.picks == nil {
		only, _ := p.of(nil) // it has nothing to fail in
		return only
	}
	items := p.dict.Items()
	sort.SliceStable(items, func(i, j int) bool {
		if a, b := items[i][1].(part).size(), items[j][1].(part).size(); a != b {
			return a > b
		}
		less, err := starlark.Compare(syntax.LT, items[i][0], items[j][0])
		return less && err == nil // keys may lack an order
	})
	p.dict = starlark.NewDict(len(items))
	for _, item := range items {
		p.dict.SetKey(item[0], item[1]) // it was hashable
	}
	return p
}

var partsMethods = []method.Row[*Parts]{{
	Name: "items",
	Doc:  "The (key, part) pairs of what hist gives with per, or percpu of structs.\nparts[key] is one part; a loop over parts is over the keys, as that over a dict.",
	Example: `for address, bytes in hist(m, by="bytes", per="key").items():
    print(address, bytes.quantile(0.5))`,
	Run: func(p *Parts, _ method.Call) (starlark.Value, error) {
		items := starlark.Tuple{}
		for _, item := range p.dict.Items() {
			items = append(items, item)
		}
		return starlark.NewList(items), nil
	},
}}

var partsTable = method.NewTable("parts", nil, partsMethods)

func (p *Parts) AttrNames() []string                      { return partsTable.Names() }
func (p *Parts) Attr(name string) (starlark.Value, error) { return partsTable.Attr(p, name) }

func (p *Parts) Type() string               { return "parts" }
func (p *Parts) Freeze()                    { p.dict.Freeze() }
func (p *Parts) Truth() starlark.Bool       { return p.dict.Truth() }
func (p *Parts) Hash() (uint32, error)      { return 0, fmt.Errorf("unhashable type: parts") }
func (p *Parts) Len() int                   { return p.dict.Len() }
func (p *Parts) Iterate() starlark.Iterator { return p.dict.Iterate() }
func (p *Parts) Items() []starlark.Tuple    { return p.dict.Items() }
func (p *Parts) String() string             { return p.dict.String() }

func (p *Parts) Get(key starlark.Value) (starlark.Value, bool, error) { return p.dict.Get(key) }

// Picture is all parts below each other.
func (p *Parts) Picture() render.Picture { return p }

// Draw is the pictures of the parts, with an empty line between two.
func (p *Parts) Draw(o render.Options) string {
	most := render.Limit
	if o.Limit != 0 {
		most = o.Limit
	}
	if p.dict.Len() == 0 {
		return p.fresh().Picture().Draw(o)
	}
	var out []string
	for _, item := range p.dict.Items() {
		if len(out) == most {
			out = append(out, fmt.Sprintf("%d parts (%d shown)", p.dict.Len(), most))
			break
		}
		label, ok := starlark.AsString(item[0])
		if !ok {
			label = item[0].String()
		}
		if p.picks != nil { // else the keys are names, which say enough
			label = p.head + " " + label
		}
		out = append(out, item[1].(part).labelled(label).Draw(o))
	}
	return strings.Join(out, "\n\n")
}

// Rows are those of all parts, each with what it is of.
func (p *Parts) Rows() (render.Rows, error) {
	one, err := p.fresh().Rows()
	if err != nil {
		return nil, err
	}
	rows := &sliceRows{columns: append([]render.Column{{Name: p.head}}, one.Columns()...)}
	for _, item := range p.dict.Items() {
		for _, row := range item[1].(part).rows() {
			rows.rows = append(rows.rows, append([]starlark.Value{item[0]}, row...))
		}
	}
	return rows, nil
}

// MarshalJSON is json.encode of the rows.
func (p *Parts) MarshalJSON() ([]byte, error) { return render.JSON(p) }
