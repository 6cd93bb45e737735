package builtins

import (
	"weak"

	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
)

// ranking is what people see of a list that top has made, beside its elements. The list itself is one like any other, so
// that scripts may do with it what they do with lists; its ranking is in the library's keeping.
type ranking struct {
	elements []starlark.Value // of the list when it was made
	numbers  []quantity       // of each
	all      summary
	pairs    bool   // the elements are keys and values
	by       string // what the numbers are called
	// shown is what people see of an element, or of the key of a pair; nil: what it says itself. It keeps no map open.
	shown func(starlark.Value) starlark.Value
}

// summary is what all elements come to, kept or not.
type summary struct {
	count    int
	total    quantity
	numbers  bool // all are
	negative bool // some are
}

func (s *summary) add(v starlark.Value) {
	s.count++
	n, ok := numberOf(v)
	if s.numbers = s.numbers && ok; s.numbers {
		s.total = s.total.plus(n)
		s.negative = s.negative || n.compare(quantity{}) < 0
	}
}

// keepRanking remembers how the elements of a list were ranked, if they were by numbers, and returns the list.
func (l *Library) keepRanking(x starlark.Value, pairs bool, by starlark.Value, list *starlark.List, best *greatest, all summary) *starlark.List {
	if !all.numbers || len(best.kept) == 0 {
		return list
	}
	r := &ranking{all: all, pairs: pairs, by: pickedName(by)}
	if e, ok := x.(*entries); ok {
		r.shown = e.shown()
	}
	for i, e := range best.kept {
		n, _ := numberOf(e.rank) // all are
		r.elements, r.numbers = append(r.elements, list.Index(i)), append(r.numbers, n)
	}
	if len(l.rankings) >= l.rankingsDue { // drop those of lists that are gone
		for p := range l.rankings {
			if p.Value() == nil {
				delete(l.rankings, p)
			}
		}
		l.rankingsDue = max(16, 2*len(l.rankings))
	}
	if l.rankings == nil {
		l.rankings = map[weak.Pointer[starlark.List]]*ranking{}
	}
	l.rankings[weak.Make(list)] = r
	return list
}

// Picture is what people see of a list that top has made, as long as it is as it was made; nil of anything else.
func (l *Library) Picture(v starlark.Value) render.Picture {
	if r := l.rankingOf(v); r != nil {
		return r.picture()
	}
	return nil
}

// rankingOf is the ranking of a list that top has made; nil if it was changed, or something else has made it.
func (l *Library) rankingOf(v starlark.Value) *ranking {
	list, ok := v.(*starlark.List)
	if !ok {
		return nil
	}
	r := l.rankings[weak.Make(list)]
	if r == nil || list.Len() != len(r.elements) {
		return nil
	}
	for i, e := range r.elements {
		if same, err := starlark.Equal(list.Index(i), e); err != nil || !same {
			return nil
		}
	}
	return r
}

func (r *ranking) picture() *render.Ranking {
	p := &render.Ranking{Ranked: r.ranked(), Count: r.all.count}
	if !r.all.negative {
		p.Total = r.all.total.float()
	}
	if r.pairs {
		p.Noun = "key"
	}
	return p
}

// ranked is the elements as people see them. Of keys and values it is the keys.
func (r *ranking) ranked() render.Ranked {
	out := render.Ranked{By: r.by, Head: "element"}
	plain := true // the numbers are the elements
	for i, e := range r.elements {
		out.Values = append(out.Values, r.numbers[i].float())
		if pair, ok := e.(starlark.Tuple); ok && r.pairs {
			e, out.Head = pair[0], "key"
			plain = false
		} else if _, ok := numberOf(e); !ok {
			plain = false
		}
		if r.shown != nil {
			e = r.shown(e)
		}
		out.Elements = append(out.Elements, e)
	}
	if plain && r.by == "value" {
		out.Elements = nil
	}
	return out
}

// shown is how people see elements; of pairs it is of their keys.
func (e *entries) shown() func(starlark.Value) starlark.Value {
	if e.what == "values" {
		return e.m.value.Shown
	}
	return e.m.key.Shown
}
