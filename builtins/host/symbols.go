package host

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

type kernelSymbol struct {
	addr uint64
	name string
}

// symbols are those of functions of the kernel and its modules, by address. They are empty where the kernel hides
// addresses from this process.
var symbols = sync.OnceValue(func() []kernelSymbol {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil
	}
	defer f.Close()
	return parseSymbols(f)
})

// parseSymbols reads lines such as "ffffffff81000000 T _text", with a module in brackets behind them or not.
func parseSymbols(r io.Reader) []kernelSymbol {
	var table []kernelSymbol
	for lines := bufio.NewScanner(r); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 3 || !strings.ContainsAny(f[1], "tTwW") {
			continue
		}
		addr, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil || addr == 0 {
			continue
		}
		name := f[2]
		if len(f) > 3 {
			name += " " + f[3]
		}
		table = append(table, kernelSymbol{addr, name})
	}
	slices.SortStableFunc(table, func(a, b kernelSymbol) int { return cmp.Compare(a.addr, b.addr) })
	return slices.CompactFunc(table, func(a, b kernelSymbol) bool { return a.addr == b.addr })
}
