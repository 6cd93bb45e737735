package builtins

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/layout"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var histFunctions = []method.Row[*Library]{{
	Name:   "hist",
	Params: "x, by=None, unit=None, slots=None, per=None",
	Doc: "How many of the numbers of x lie between powers of two.\n" +
		"A map and a dict give their values; by is the name of a field to take (\"latency\", or \"in.bytes\"), or a function of the element, as for sum. " +
		"slots says that the numbers of x are how often programs have seen what belongs in each slot already: by the keys of a map or a dict, the places in a list, or the field \"slot\" of keys that are structs; \"libbpf\" counts in slot n what lies from 2**n to 2**(n+1), \"bcc\" what lies from 2**(n-1) to 2**n, \"bpftrace\" what lies from 2**(n-2) to 2**(n-1), 0 in slot 1, and what is less in slot 0. " +
		"per is a field or a function of the element: each of what it gives has a histogram of its own. " +
		"The result has a record (min, max, count) for each interval, max not in it; .count, .quantile(0.99). unit stands beside it for people.",
	Example: `show(hist(m, by="bytes", unit="bytes"))
latency = hist({7: 41, 8: 3, 11: 1}, slots="libbpf", unit="usecs")
if latency.quantile(0.99) > 1000:
    warn("slow:", latency.count)
show(hist(m.items(), by="bytes", per=lambda item: item[0]))
# bpftrace's @us = hist(...) is open("AT_us"), and @us[comm] = hist(...)
# is open("AT_us", key=key)
key = "struct { comm comm; u64 slot; }"
us = create("percpu_hash", key=key, value="u64", max_entries=9)
us["curl", 5] = [41] * cpus()
show(hist(us, slots="bpftrace", unit="usecs", per="key.comm"))`,
	Run: (*Library).hist,
}}

func (l *Library) hist(c method.Call) (starlark.Value, error) {
	unit := ""
	if given(c, 2) {
		var err error
		if unit, err = c.String(2, "unit"); err != nil {
			return nil, err
		}
	}
	var slots slotting
	if given(c, 3) {
		name, err := c.String(3, "slots")
		if err != nil {
			return nil, err
		}
		if slots = slotting(name); !slices.Contains(slottings, slots) {
			return nil, c.Bad("slots", c.Args[3], `"bcc", "libbpf" or "bpftrace"`)
		}
	}
	if m, ok := c.Args[0].(*Map); ok && slots == "" && m.kind.Shape == engine.Indexed {
		return nil, fmt.Errorf(`%s: %s is an array: slots="bcc", "libbpf" or "bpftrace" takes its keys for slots and its values for counts; for a histogram of the values: hist(m.values())`, c.Name, m.label())
	}
	if slots != "" {
		return l.histSlots(c, slots, unit)
	}
	x, pairs, err := elementsOf(c, c.Args[0])
	if err != nil {
		return nil, err
	}
	if column, ok := rawColumnOf(x, c.Args[1], true); ok && !given(c, 4) {
		return l.histColumn(c, column, unit)
	}
	pick, err := picker(c, 1, pairs)
	if err != nil {
		return nil, err
	}
	parts, err := newParts(c, 4, func() part { return &Histogram{unit: unit} })
	if err != nil {
		return nil, err
	}
	err = l.picked(c, x, pick, func(element, v starlark.Value) error {
		n, ok := numberOf(v)
		if !ok {
			return fmt.Errorf("got %s, want a number; by= chooses a field", method.Describe(v))
		}
		i, err := n.interval()
		if err != nil {
			return err
		}
		h, err := parts.of(element)
		if err != nil {
			return err
		}
		h.(*Histogram).add(i, 1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return parts.value(), nil
}

// histColumn is hist of what need not be decoded.
func (l *Library) histColumn(c method.Call, column rawColumn, unit string) (starlark.Value, error) {
	var counts [2 * widestNumber]uint64
	err := column.each(c, func(b engine.Batch, values []byte) error {
		for i := range b.N {
			counts[widestNumber+intervalOf(column.column.Number(values, i))]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	h := &Histogram{unit: unit}
	for i, n := range counts {
		if n > 0 {
			h.add(i-widestNumber, n)
		}
	}
	return h, nil
}

// widestNumber is above the number of every interval of whole numbers.
const widestNumber = 130

// Intervals have numbers, in their order: 0 is [0, 1), n > 0 is [2**(n-1), 2**n), -1 is [-1, 0), and n < -1 is
// [-2**(-n-1), -2**(-n-2)).

// intervalOf is the number of the interval that a number lies in.
func intervalOf(t layout.Total) int {
	if t.Sign() < 0 {
		return -1 - t.BitLen()
	}
	return t.BitLen()
}

// interval is intervalOf of any number.
func (n quantity) interval() (int, error) {
	if !n.isFloat {
		return intervalOf(n.whole), nil
	}
	v := n.part
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s lies in no interval", starlark.Float(v))
	case v >= 1:
		_, e := math.Frexp(v)
		return e, nil
	case v >= 0:
		return 0, nil
	case v >= -1:
		return -1, nil
	}
	f, e := math.Frexp(-v)
	if f == 0.5 { // a power of two is the least of its interval
		e--
	}
	return -1 - e, nil
}

// edge is where an interval begins; it ends where the next does.
func edge(i int) quantity {
	power := func(n int) quantity {
		v, _ := numberOf(starlark.MakeInt(1).Lsh(uint(n)))
		return v
	}
	switch {
	case i > 0:
		return power(i - 1)
	case i == 0:
		return quantity{}
	default:
		n := power(-i - 1)
		return quantity{whole: layout.Total{}.Minus(n.whole), part: -n.part, isFloat: n.isFloat}
	}
}

// slotting is how programs number their slots.
type slotting string

const (
	slotsBCC      slotting = "bcc"      // bpf_log2l, which is one more than the logarithm
	slotsLibbpf   slotting = "libbpf"   // the logarithm
	slotsBpftrace slotting = "bpftrace" // two more; 0 is in slot 1, and what is less in slot 0
)

var slottings = []slotting{slotsBCC, slotsLibbpf, slotsBpftrace}

// interval is the number of the interval that a slot counts. bcc and libbpf count 0 and 1 in one slot.
func (s slotting) interval(slot starlark.Value) (int, error) {
	n, ok := slot.(starlark.Int)
	if i, fits := n.Int64(); ok && fits && i >= 0 && i < widestNumber-2 {
		switch s {
		case slotsLibbpf:
			i++
		case slotsBpftrace:
			return int(i) - 1, nil
		}
		return max(int(i), 1), nil
	}
	return 0, fmt.Errorf("got %s for a slot, want an integer from 0 to %d", method.Describe(slot), widestNumber-3)
}

// histSlots is hist of what programs have counted.
func (l *Library) histSlots(c method.Call, slots slotting, unit string) (starlark.Value, error) {
	x, pairs, err := elementsOf(c, c.Args[0])
	if err != nil {
		return nil, err
	}
	if !pairs {
		x = placed{x}
	}
	pick, err := picker(c, 1, true)
	if err != nil {
		return nil, err
	}
	parts, err := newParts(c, 4, func() part {
		return &Histogram{unit: unit, fused: slots != slotsBpftrace, open: slots == slotsBpftrace}
	})
	if err != nil {
		return nil, err
	}
	err = l.picked(c, x, pick, func(element, counts starlark.Value) error {
		h, err := parts.of(element)
		if err != nil {
			return err
		}
		return h.(*Histogram).addSlots(slots, element.(starlark.Tuple)[0], counts)
	})
	if err != nil {
		return nil, err
	}
	return parts.value(), nil
}

// addSlots adds what programs have counted under a key: the key, or a field of it, is the slot; or there are the counts
// of all slots, by their places.
func (h *Histogram) addSlots(slots slotting, key, counts starlark.Value) error {
	if list, ok := counts.(starlark.Indexable); ok {
		for slot := range list.Len() {
			if err := h.addSlot(slots, starlark.MakeInt(slot), list.Index(slot)); err != nil {
				return err
			}
		}
		return nil
	}
	if _, ok := key.(starlark.Mapping); ok {
		slot, err := fieldOf(key, "slot")
		if err != nil {
			return fmt.Errorf("of a key that is a struct the slot is the field slot: %w", err)
		}
		key = slot
	}
	return h.addSlot(slots, key, counts)
}

func (h *Histogram) addSlot(slots slotting, slot, count starlark.Value) error {
	n, ok := count.(starlark.Int)
	u, fits := n.Uint64()
	if !ok || !fits {
		return fmt.Errorf("got %s for a count, want an integer that is not negative; by= chooses a field", method.Describe(count))
	}
	i, err := slots.interval(slot)
	if err != nil || u == 0 {
		return err
	}
	if h.counts[i]+u < u {
		return errors.New("an interval has more than 64 bits can count")
	}
	h.add(i, u)
	return nil
}

// placed gives each element with its place before it, unless it is a pair.
type placed struct{ starlark.Iterable }

func (p placed) Iterate() starlark.Iterator { return &placedIterator{Iterator: p.Iterable.Iterate()} }

type placedIterator struct {
	starlark.Iterator
	i int
}

func (it *placedIterator) Next(p *starlark.Value) bool {
	if !it.Iterator.Next(p) {
		return false
	}
	if pair, ok := (*p).(starlark.Tuple); !ok || len(pair) != 2 {
		*p = starlark.Tuple{starlark.MakeInt(it.i), *p}
	}
	it.i++
	return true
}
