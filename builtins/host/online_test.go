package host

import (
	"slices"
	"testing"
)

func TestParseCPUs(t *testing.T) {
	const yes, no = true, false
	for _, test := range []struct {
		list string
		want []bool
		ok   bool
	}{
		{"0\n", []bool{yes}, true},
		{"0-1,3,6-7\n", []bool{yes, yes, no, yes, no, no, yes, yes}, true},
		{"", nil, false},
		{"a", nil, false},
		{"3-1", nil, false},
		{"1,0", nil, false},
		{"0-999999999", nil, false},
	} {
		if got, ok := parseCPUs(test.list); ok != test.ok || ok && !slices.Equal(got, test.want) {
			t.Errorf("parseCPUs(%q) = %v, %t, want %v, %t", test.list, got, ok, test.want, test.ok)
		}
	}
	if cpus, ok := online(); ok && !slices.Contains(cpus, true) {
		t.Errorf("no CPU runs: %v", cpus)
	}
}
