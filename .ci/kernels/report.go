package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What the first process writes beside what the tests print.
const (
	markKernel = "@kernel " // the release
	markBegin  = "@begin "  // the package
	markExit   = "@exit "   // the exit status
	markEnd    = "@end"     // all have run
)

// excused are reasons for which a test may be skipped whatever the kernel is: what is not in the virtual machine.
var excused = []*regexp.Regexp{
	regexp.MustCompile(`(clang|bpftool|bpftrace) is not installed`),
	regexp.MustCompile(`in a dry run m\.kernel loads no program`),
	regexp.MustCompile(`executable file not found in \$PATH`),
	regexp.MustCompile(`zsh completes only at a terminal`),
	regexp.MustCompile(`no CPU is offline`),
	regexp.MustCompile(`the maps are in memory`),
	regexp.MustCompile(`the memory engine is like Linux`),
}

// since finds in a reason from which Linux on a test is not skipped for it.
var since = regexp.MustCompile(`(?:since Linux |linux>=)(\d+\.\d+)`)

// result is how the tests went on one kernel.
type result struct {
	name    string // as the command line has it
	release string
	took    time.Duration
	broken  error // the machine's own
	suites  []suiteResult
	now     int // the suite that runs; -1 for none
}

type suiteResult struct {
	suite
	some                    bool // only some tests are asked for: it may have none of them
	ran                     bool
	status                  string // "" until it has ended
	began                   time.Time
	took                    time.Duration
	passed, failed, skipped int
	printed                 map[string][]string // by the name of a test, what it printed
	test                    string              // that prints now
	reasons                 map[string][]string // why tests were skipped: the tests
	slow                    []string            // tests that took long, with how long
	failures                []string            // what failed tests printed
}

// long is what a test may take before the report names it.
const long = 8 * time.Second

func newResult(name string, some bool, suites []suite) *result {
	r := &result{name: name, now: -1}
	for _, s := range suites {
		r.suites = append(r.suites, suiteResult{suite: s, some: some, printed: map[string][]string{}, reasons: map[string][]string{}})
	}
	return r
}

// read takes a line that the machine wrote. It returns what a person who waits may want to know.
func (r *result) read(line string) string {
	switch rest := ""; {
	case cut(line, markKernel, &rest):
		r.release = rest
		return "booted " + rest
	case cut(line, markBegin, &rest):
		r.now = slices.IndexFunc(r.suites, func(s suiteResult) bool { return s.pkg == rest })
		r.suites[r.now].ran, r.suites[r.now].began = true, time.Now()
	case line == markEnd:
	case r.now < 0:
		return line
	case cut(line, markExit, &rest):
		s := &r.suites[r.now]
		s.status, s.took = rest, time.Since(s.began)
		r.now = -1
		return s.line(r.release)
	default:
		r.suites[r.now].read(line)
	}
	return ""
}

func cut(line, prefix string, rest *string) (ok bool) {
	*rest, ok = strings.CutPrefix(line, prefix)
	return ok
}

// verdict is a line of a test's end, as -test.v=test2json has it.
var verdict = regexp.MustCompile(`^\x16?\s*--- (PASS|FAIL|SKIP): (\S+) \((\S+)\)`)

// begins is a line that says whose the following lines are.
var begins = regexp.MustCompile(`^\x16?=== (?:RUN|CONT|NAME|PAUSE)\s+(\S*)`)

// read takes a line that the tests of the package printed.
func (s *suiteResult) read(line string) {
	if m := begins.FindStringSubmatch(line); m != nil {
		s.test = m[1]
		return
	}
	m := verdict.FindStringSubmatch(line)
	if m == nil {
		s.printed[s.test] = append(s.printed[s.test], line)
		return
	}
	name := m[2]
	if took, err := time.ParseDuration(m[3]); err == nil && took > long && !strings.Contains(name, "/") {
		s.slow = append(s.slow, fmt.Sprintf("%s %v", name, took.Round(time.Second)))
	}
	s.test = name // an error's text goes on behind it
	switch m[1] {
	case "PASS":
		s.passed++
	case "FAIL":
		s.failed++
		s.failures = append(s.failures, name)
	case "SKIP":
		s.skipped++
		reason := placeOf.ReplaceAllString(strings.TrimSpace(strings.Join(s.printed[name], " ")), "")
		s.reasons[reason] = append(s.reasons[reason], name)
	}
}

// placeOf is the place of a message in a test.
var placeOf = regexp.MustCompile(`^\S+_test\.go:\d+: |^\S+\.go:\d+: `)

// wrong are the tests that were skipped without a good reason on a kernel.
func (s *suiteResult) wrong(release string) (wrong []string) {
	for reason, tests := range s.reasons {
		m := since.FindStringSubmatch(reason)
		ok := m != nil && compareReleases(release, m[1]) < 0 ||
			slices.ContainsFunc(excused, func(e *regexp.Regexp) bool { return e.MatchString(reason) })
		if !ok {
			for _, test := range tests {
				wrong = append(wrong, test+": "+reason)
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (s *suiteResult) ok(release string) bool {
	return s.status == "0" && s.failed == 0 && (s.passed > 0 || s.some) && len(s.wrong(release)) == 0
}

func (s *suiteResult) line(release string) string {
	word := "ok  "
	if !s.ok(release) {
		word = "FAIL"
	}
	return fmt.Sprintf("%s %-32s %5d passed %4d skipped %3d failed %7.1fs", word, s.pkg, s.passed, s.skipped, s.failed, s.took.Seconds())
}

func (r *result) passed() bool {
	return r.broken == nil && !slices.ContainsFunc(r.suites, func(s suiteResult) bool { return !s.ok(r.release) })
}

// ended says of a kernel that has just come to its end how it went.
func (r *result) ended() string {
	word := "ok  "
	if !r.passed() {
		word = "FAIL"
	}
	return fmt.Sprintf("%s all of Linux %s took %v", word, cmp.Or(r.release, "?"), r.took.Round(time.Second))
}

var errInterrupted = errors.New("interrupted")

// sum is nil if all kernels passed, and else says how many did not.
func sum(results []*result) error {
	passed, interrupted := 0, 0
	for _, r := range results {
		switch {
		case r.passed():
			passed++
		case errors.Is(r.broken, errInterrupted):
			interrupted++
		}
	}
	failed := len(results) - passed - interrupted
	switch {
	case interrupted > 0:
		return fmt.Errorf("%w: of %d kernels %d had passed and %d failed", errInterrupted, len(results), passed, failed)
	case failed > 0:
		return fmt.Errorf("%d of %d kernels failed", failed, len(results))
	}
	return nil
}

// write writes the whole result.
func (r *result) write(w io.Writer) {
	fmt.Fprintf(w, "\nLinux %s (%s): %.0f s\n", cmp.Or(r.release, "?"), r.name, r.took.Seconds())
	passed, failed, skipped := 0, 0, 0
	reasons := map[string]int{}
	for _, s := range r.suites {
		fmt.Fprintln(w, s.line(r.release))
		passed, failed, skipped = passed+s.passed, failed+s.failed, skipped+s.skipped
		for reason, tests := range s.reasons {
			reasons[shorten(reason)] += len(tests)
		}
		if len(s.slow) > 0 {
			fmt.Fprintf(w, "     slow: %s\n", strings.Join(s.slow, ", "))
		}
		for _, wrong := range s.wrong(r.release) {
			fmt.Fprintf(w, "     skipped without a reason that counts here: %s\n", wrong)
		}
		for _, name := range s.failures {
			fmt.Fprintf(w, "     --- FAIL: %s\n", name)
			for _, line := range s.printed[name] {
				fmt.Fprintf(w, "     %s\n", line)
			}
		}
		if s.status != "0" {
			fmt.Fprintf(w, "     exit status %s\n", cmp.Or(s.status, "unknown"))
			for _, line := range s.printed[s.test] {
				fmt.Fprintf(w, "     %s\n", line)
			}
		}
	}
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b)) }) {
		fmt.Fprintf(w, "%5d skipped: %s\n", reasons[reason], reason)
	}
	if r.broken != nil {
		fmt.Fprintf(w, "%v\n", r.broken)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
}

// shorten leaves of a reason what it has in common with others: a golden script's own name goes.
func shorten(reason string) string {
	if i := strings.Index(reason, "linux>="); i >= 0 {
		return "a golden script wants " + reason[i:]
	}
	return reason
}
