package layout

import (
	"math"
	"math/big"
	"testing"

	"go.starlark.net/starlark"
)

// TestTotal compares integers of 128 bits with big ones.
func TestTotal(t *testing.T) {
	var numbers []*big.Int
	for _, shift := range []uint{0, 1, 31, 62, 63, 64, 65, 125} {
		for _, near := range []int64{-1, 0, 1} {
			n := new(big.Int).Lsh(big.NewInt(1), shift)
			n.Add(n, big.NewInt(near))
			numbers = append(numbers, n, new(big.Int).Neg(n))
		}
	}
	total := func(n *big.Int) Total {
		v, ok := TotalOf(starlark.MakeBigInt(n))
		if !ok {
			t.Fatalf("%s does not fit", n)
		}
		return v
	}
	for _, a := range numbers {
		x := total(a)
		if x.Value().BigInt().Cmp(a) != 0 || x.Sign() != a.Sign() {
			t.Errorf("%s became %s, of sign %d", a, x.Value(), x.Sign())
		}
		positive := a
		if a.Sign() < 0 {
			positive = new(big.Int).Not(a)
		}
		if x.BitLen() != positive.BitLen() {
			t.Errorf("%s has %d bits, want %d", a, x.BitLen(), positive.BitLen())
		}
		if f, _ := new(big.Float).SetInt(a).Float64(); math.Abs(x.Float()-f) > math.Abs(f)*1e-15 {
			t.Errorf("%s is the float %v, want %v", a, x.Float(), f)
		}
		for _, b := range numbers {
			y := total(b)
			if got, want := x.Compare(y), a.Cmp(b); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
			if got, want := x.Plus(y).Value().BigInt(), new(big.Int).Add(a, b); got.Cmp(want) != 0 {
				t.Errorf("%s + %s = %s", a, b, got)
			}
			if got, want := x.Minus(y).Value().BigInt(), new(big.Int).Sub(a, b); got.Cmp(want) != 0 {
				t.Errorf("%s - %s = %s", a, b, got)
			}
		}
	}
	for _, n := range []*big.Int{new(big.Int).Lsh(big.NewInt(1), 127), new(big.Int).Not(new(big.Int).Lsh(big.NewInt(1), 127))} {
		if _, ok := TotalOf(starlark.MakeBigInt(n)); ok != (n.Sign() < 0 && n.BitLen() == 127) {
			t.Errorf("TotalOf(%s): %t", n, ok)
		}
	}
}

// TestSums reads what all CPUs have together, also where that does not fit in 64 bits.
func TestSums(t *testing.T) {
	for _, test := range []struct {
		typ     string
		entries [][2]starlark.Int
	}{
		{"u64", [][2]starlark.Int{{starlark.MakeInt(2), starlark.MakeInt(1)}, {starlark.MakeUint64(math.MaxUint64), starlark.MakeInt(9)}}},
		{"i64", [][2]starlark.Int{{starlark.MakeInt64(math.MinInt64), starlark.MakeInt(-1)}, {starlark.MakeInt(5), starlark.MakeInt(-5)}, {starlark.MakeInt64(math.MaxInt64), starlark.MakeInt(1)}}},
		{"be16", [][2]starlark.Int{{starlark.MakeInt(1), starlark.MakeInt(2)}, {starlark.MakeInt(65535), starlark.MakeInt(65535)}}},
	} {
		slot := Slot{mustParse(t, test.typ), 2}
		column, ok := slot.Column("")
		if !ok {
			t.Fatalf("%s has no column", test.typ)
		}
		var all []byte
		for _, e := range test.entries {
			b := make([]byte, slot.Size())
			if err := slot.Encode(b, starlark.Tuple{e[0], e[1]}); err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		for i, e := range test.entries {
			got, want := column.Number(all, i).Value(), e[0].Add(e[1])
			if same, err := starlark.Equal(got, want); err != nil || !same {
				t.Errorf("%s: the number of %v is %s, want %s", test.typ, e, got, want)
			}
			column.EachCPU(all, i, func(cpu int, n Total) {
				if same, err := starlark.Equal(n.Value(), e[cpu]); err != nil || !same {
					t.Errorf("%s: cpu %d of %v has %s", test.typ, cpu, e, n.Value())
				}
			})
		}
	}
}
