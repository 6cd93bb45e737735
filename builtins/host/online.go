package host

import (
	"fmt"
	"os"
	"strings"
)

// online says of each CPU up to the last that runs whether it does.
func online() (cpus []bool, ok bool) {
	text, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, false
	}
	return parseCPUs(string(text))
}

// parseCPUs reads a list of CPUs as the kernel writes it: "0-3,7".
func parseCPUs(list string) (cpus []bool, ok bool) {
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		var first, last int
		if n, _ := fmt.Sscanf(part, "%d-%d", &first, &last); n == 1 {
			last = first
		} else if n != 2 {
			return nil, false
		}
		const most = 1 << 16
		if first < len(cpus) || last < first || last > most {
			return nil, false
		}
		cpus = append(cpus, make([]bool, last+1-len(cpus))...)
		for i := first; i <= last; i++ {
			cpus[i] = true
		}
	}
	return cpus, true
}
