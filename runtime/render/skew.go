package render

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Skew is how much of something each CPU has.
type Skew struct {
	Label   string // "" for nothing
	Values  []float64
	Offline []bool // nil: all run
}

// Skewed is how many times the mean is worth a mark.
const Skewed = 2

// most CPUs that get a line each.
const manyCPUs = 32

// Sum is that of all CPUs.
func (s *Skew) Sum() (sum float64) {
	for _, v := range s.Values {
		sum += v
	}
	return sum
}

// Mean is of the CPUs that run, or have something.
func (s *Skew) Mean() float64 {
	n := 0
	for i, v := range s.Values {
		if v != 0 || !s.offline(i) {
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return s.Sum() / float64(n)
}

func (s *Skew) offline(i int) bool { return s.Offline != nil && s.Offline[i] }

// Ratio is the greatest value beside the mean; 0 if that says nothing: some value is negative, or all are 0.
func (s *Skew) Ratio() float64 {
	if mean := s.Mean(); mean > 0 && slices.Min(s.Values) >= 0 {
		return slices.Max(s.Values) / mean
	}
	return 0
}

// Draw has a line for each CPU, and above 32 of them a sparkline of all and lines for those that are far from the others.
func (s *Skew) Draw(o Options) string {
	var out []string
	if s.Label != "" {
		out = append(out, o.head(snip(escapeLine(s.Label), o.drawnWidth(), o.ASCII)))
	}
	shown := s.shown()
	if len(shown) < len(s.Values) {
		out = append(out, s.sparklines(o)...)
	}
	if len(shown) > 0 {
		out = append(out, s.chart(o, shown).lines(o)...)
	}
	for _, line := range wrapped(s.footer(o, len(shown) == len(s.Values)), o) {
		out = append(out, o.aside(line))
	}
	return strings.Join(out, "\n")
}

// shown are the CPUs that get a line.
func (s *Skew) shown() (cpus []int) {
	mean := s.Mean()
	for i, v := range s.Values {
		if len(s.Values) <= manyCPUs || v < 0 || s.Ratio() > 0 && v >= Skewed*mean {
			cpus = append(cpus, i)
		}
	}
	if len(s.Values) > manyCPUs && len(cpus) > manyCPUs {
		sort.SliceStable(cpus, func(i, j int) bool { return math.Abs(s.Values[cpus[i]]) > math.Abs(s.Values[cpus[j]]) })
		cpus = cpus[:manyCPUs]
		slices.Sort(cpus)
	}
	return cpus
}

func (s *Skew) chart(o Options, shown []int) *chart {
	least, most := slices.Min(s.Values), slices.Max(s.Values)
	scale, sum := max(most, -least), s.Sum()
	c := &chart{
		columns: []chartColumn{{}, {right: true}, {right: true, drop: 1}},
		least:   4, most: 60, wall: o.signs().wall,
	}
	for _, i := range shown {
		share := ""
		if least >= 0 && sum > 0 {
			share = Percent(s.Values[i] / sum)
		}
		c.rows = append(c.rows, []string{"cpu" + strconv.Itoa(i), Short(s.Values[i]), share})
		c.tails = append(c.tails, s.remark(o, i))
	}
	c.drawn = func(row, cells int) string { return Bar(math.Abs(s.Values[shown[row]])/scale, cells, o.ASCII) }
	return c
}

// remark is what is out of the ordinary with a CPU.
func (s *Skew) remark(o Options, i int) string {
	what := ""
	switch v := s.Values[i]; {
	case s.offline(i):
		what = "offline"
	case v == 0:
		what = "idle"
	case v < 0:
		what = "negative"
	case s.Ratio() >= Skewed && v >= Skewed*s.Mean():
		what = fmt.Sprintf("%.1f%s mean", v/s.Mean(), o.signs().times)
	default:
		return ""
	}
	return "  " + o.signs().arrow + " " + what
}

// sparklines are all CPUs, some on each line.
func (s *Skew) sparklines(o Options) []string {
	label := func(i int) string { return fmt.Sprintf("%-7s", "cpu"+strconv.Itoa(i)) }
	each := (o.drawnWidth() - len(label(0))) &^ 7
	line := []rune(Sparkline(s.Values, o.ASCII))
	var out []string
	for i := 0; i < len(line); i += each {
		out = append(out, label(i)+string(line[i:min(i+each, len(line))]))
	}
	return out
}

// footer sums it up. Where not all CPUs have a line it names those that are idle or offline.
func (s *Skew) footer(o Options, all bool) []string {
	parts := []string{"sum " + Short(s.Sum()), "mean " + Short(s.Mean()), "max " + Short(slices.Max(s.Values))}
	if r := s.Ratio(); r > 0 {
		parts = append(parts, fmt.Sprintf("max/mean %.1f", r))
	}
	if all {
		return append(parts, Sparkline(s.Values, o.ASCII))
	}
	var idle, offline []int
	for i, v := range s.Values {
		switch {
		case s.offline(i):
			offline = append(offline, i)
		case v == 0:
			idle = append(idle, i)
		}
	}
	if len(idle) > 0 {
		parts = append(parts, "idle: "+ranges(idle))
	}
	if len(offline) > 0 {
		parts = append(parts, "offline: "+ranges(offline))
	}
	return parts
}

// ranges is "0-3,7" for ascending numbers.
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += "-" + strconv.Itoa(numbers[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ",")
}

// Spread is a value of one number for each CPU: people see the sum of them, and a sparkline.
type Spread interface {
	// Spread is the numbers; ok is false if some are none.
	Spread() (values []float64, ok bool)
}

// spreadCell is a cell with the sum of some numbers, and a sparkline of at most 16 signs: of more CPUs each sign is the
// greatest of some neighbours.
func spreadCell(values []float64, ascii bool) string {
	const most = 16
	s := Skew{Values: values}
	sum := Short(s.Sum())
	if len(values) < 2 {
		return sum
	}
	if each := (len(values) + most - 1) / most; each > 1 {
		var groups []float64
		for group := range slices.Chunk(values, each) {
			groups = append(groups, slices.Max(group))
		}
		values = groups
	}
	return sum + " " + Sparkline(values, ascii)
}

// spreadOf is the numbers of a value that has one for each CPU.
func spreadOf(v any) ([]float64, bool) {
	if s, ok := v.(Spread); ok {
		return s.Spread()
	}
	return nil, false
}
