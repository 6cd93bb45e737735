package builtins

import (
	"container/heap"
	"sort"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

var topFunctions = []method.Row[*Library]{{
	Name:   "top",
	Params: "x, n, by=None",
	Doc: "The n greatest elements of x, the greatest first: a list.\n" +
		"A map and a dict give their (key, value) pairs, compared by the value. by is the name of a field to compare by (\"bytes\", or \"in.bytes\"), or a function of the element; " +
		"of pairs a field is looked for in the value, and else behind \"key.\" and \"value.\". Of per-CPU values it is their sum. " +
		"Of equals those that come first stay. Only n elements are kept meanwhile, so that x may be as large as it likes. People see the list with what share of all numbers each element has.",
	Example: `for address, flow in top(m, 10, by="bytes"):
    print(address, flow.bytes)
show(top(drops, 3))
top(m.values(), 3, by=lambda flow: flow.bytes // flow.packets)`,
	Run: (*Library).top,
}}

func (l *Library) top(c method.Call) (starlark.Value, error) {
	x, pairs, err := elementsOf(c, c.Args[0])
	if err != nil {
		return nil, err
	}
	n, err := c.Positive(1, "n")
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, c.Bad("n", c.Args[1], "how many elements")
	}
	if column, ok := rawColumnOf(x, c.Args[2], true); ok {
		return l.topColumn(c, column, n)
	}
	pick, err := picker(c, 2, pairs)
	if err != nil {
		return nil, err
	}
	// The least of those that are kept is on top of the heap.
	best := &greatest{n: n}
	all := summary{numbers: true}
	err = l.picked(c, x, pick, func(v, rank starlark.Value) error {
		all.add(rank)
		if best.takes(rank) {
			best.put(rank, v)
		}
		return best.err
	})
	if err != nil {
		return nil, err
	}
	list, err := best.list()
	if err != nil {
		return nil, err
	}
	return l.keepRanking(x, pairs, c.Args[2], list, best, all), nil
}

// topColumn is top by what need not be decoded: only what is kept is.
func (l *Library) topColumn(c method.Call, column rawColumn, n int) (starlark.Value, error) {
	best := &greatest{n: n}
	all, total := summary{numbers: true}, layout.Total{}
	var floor layout.Total // of what is kept, when that is n
	err := column.each(c, func(b engine.Batch, values []byte) error {
		for i := range b.N {
			rank := column.column.Number(values, i)
			all.negative = all.negative || rank.Sign() < 0
			if len(best.kept) == n && rank.Compare(floor) <= 0 {
				continue
			}
			best.put(rank.Value(), column.element(b, i))
			floor, _ = layout.TotalOf(best.kept[0].rank.(starlark.Int))
		}
		total.Add(column.column, values, b.N)
		all.count += b.N
		return nil
	})
	if err != nil {
		return nil, err
	}
	list, err := best.list()
	if err != nil {
		return nil, err
	}
	all.total = quantity{whole: total}
	return l.keepRanking(column.entries, column.entries.what == "items", c.Args[2], list, best, all), nil
}

// elementsOf is what a function goes through: of a map and a dict their pairs, of which it looks at the values.
func elementsOf(c method.Call, v starlark.Value) (x starlark.Iterable, pairs bool, err error) {
	switch v := v.(type) {
	case *Map:
		items, err := v.entries("items")
		if err != nil {
			return nil, false, err
		}
		return items.(*entries), true, nil
	case *entries:
		return v, v.what == "items", nil
	case *starlark.Dict:
		items := starlark.Tuple{}
		for _, item := range v.Items() {
			items = append(items, item)
		}
		return items, true, nil
	case starlark.Iterable:
		return v, false, nil
	}
	return nil, false, c.Bad("x", v, "something to loop over")
}

// greatest keeps the n greatest of many elements, by their ranks.
type greatest struct {
	n     int
	kept  []ranked // a heap, with the least on top
	count int
	err   error // of comparing
}

type ranked struct {
	rank  starlark.Value
	at    int // the earlier is the greater, of equals
	value any // a starlark.Value, if list is called
}

// takes says whether an element of a rank would be kept.
func (g *greatest) takes(rank starlark.Value) bool {
	if len(g.kept) < g.n {
		// The first is compared with itself, so that what has no order is an error however few there are.
		g.less(rank, rank)
		return true
	}
	return g.less(g.kept[0].rank, rank)
}

// put keeps an element that takes has taken.
func (g *greatest) put(rank starlark.Value, value any) {
	e := ranked{rank, g.count, value}
	g.count++
	if len(g.kept) < g.n {
		heap.Push(g, e)
		return
	}
	g.kept[0] = e
	heap.Fix(g, 0)
}

// sort puts the greatest first.
func (g *greatest) sort() { sort.Sort(sort.Reverse(g)) }

// list is what was kept, the greatest first.
func (g *greatest) list() (*starlark.List, error) {
	g.sort()
	values := make([]starlark.Value, len(g.kept))
	for i, e := range g.kept {
		values[i] = e.value.(starlark.Value)
	}
	return starlark.NewList(values), g.err
}

// less compares ranks. The first error stays.
func (g *greatest) less(a, b starlark.Value) bool {
	yes, err := starlark.Compare(syntax.LT, a, b)
	if g.err == nil {
		g.err = err
	}
	return yes
}

func (g *greatest) Len() int      { return len(g.kept) }
func (g *greatest) Swap(i, j int) { g.kept[i], g.kept[j] = g.kept[j], g.kept[i] }
func (g *greatest) Push(x any)    { g.kept = append(g.kept, x.(ranked)) }

func (g *greatest) Pop() any {
	last := g.kept[len(g.kept)-1]
	g.kept = g.kept[:len(g.kept)-1]
	return last
}

// Less puts the least on top, and of equals the one that came last.
func (g *greatest) Less(i, j int) bool {
	a, b := g.kept[i], g.kept[j]
	if g.less(a.rank, b.rank) {
		return true
	}
	return a.at > b.at && !g.less(b.rank, a.rank)
}
