package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel"
)

// memoryRelease is the kernel that the memory engine is like.
const memoryRelease = "6.18"

// lacks says what an engine lacks of a requirement that a golden script names; "" if it has it.
func lacks(engineName, requirement string) (string, error) {
	name, version, versioned := strings.Cut(requirement, ">=")
	inMemory := engineName == "memory"
	switch {
	case requirement == "kernel" && inMemory:
		return "the maps are in memory", nil
	case versioned && name == "linux" && inMemory:
		if !atLeast(memoryRelease, version) {
			return "the memory engine is like Linux " + memoryRelease, nil
		}
	case strings.HasPrefix(requirement, "cap_") && inMemory: // it wants none
	case requirement == "kernel":
		if err := notPermitted(); err != nil {
			return fmt.Sprintf("bpf() is not permitted: %v", err), nil
		}
	case requirement == "bpffs":
		if os.Getenv(bpffsVariable) == "" {
			return "no private bpffs could be made", nil
		}
	case versioned && name == "linux":
		if release := kernelRelease(); !atLeast(release, version) {
			return "this is Linux " + release, nil
		}
	case strings.HasPrefix(requirement, "cap_"):
		if missing := (&kernel.Engine{}).Missing(&engine.Right{Wants: []string{strings.ToUpper(requirement)}}); missing != "" {
			return "this process lacks " + missing, nil
		}
	default:
		return "", fmt.Errorf("no requirement %q; there are kernel, bpffs, linux>=6.1 and cap_sys_admin", requirement)
	}
	return "", nil
}

// atLeast compares the first two numbers of kernel releases.
func atLeast(release, version string) bool {
	have, want := numbers(release), numbers(version)
	return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1]
}

func numbers(release string) (n [2]int) {
	for i, part := range strings.SplitN(release, ".", 3) {
		if i < len(n) {
			n[i], _ = strconv.Atoi(part) // 0 for what is no number
		}
	}
	return n
}
