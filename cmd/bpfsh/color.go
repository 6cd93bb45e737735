package main

// colored says whether what is written to a stream is coloured: as --color asks; else not if NO_COLOR says so; else if
// FORCE_COLOR or CLICOLOR_FORCE says so; else on a terminal that is not dumb.
func colored(mode string, terminal bool, getenv func(string) string) bool {
	forced := func(name string) bool { v := getenv(name); return v != "" && v != "0" }
	switch {
	case mode == "always", mode == "never":
		return mode == "always"
	case getenv("NO_COLOR") != "":
		return false
	case forced("FORCE_COLOR"), forced("CLICOLOR_FORCE"):
		return true
	default:
		return terminal && getenv("TERM") != "dumb"
	}
}

// red is a line that stands out.
func red(line string) string { return "\x1b[31m" + line + "\x1b[0m" }
