package host

import (
	"os"
	"strconv"
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
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil {
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
