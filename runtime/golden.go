package runtime

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/tools/txtar"
)

// Golden compares what scripts print with what they are known to print: NAME.star with NAME.golden, a txtar archive
// of stdout, stderr and status.
type Golden struct {
	// Run runs a script and returns its exit status.
	Run func(script string, stdout, stderr io.Writer) int
	// Scrub replaces what differs from run to run, in order, before anything is compared or written.
	Scrub []Scrub
	// Lacks says what this machine lacks of a requirement ("kernel", "linux>=7.0"); "" if it has it. It is an error
	// if there is no such requirement. They are in a comment at the top of a script: "# requires: kernel, linux>=7.0".
	Lacks func(requirement string) (string, error)
	// Update writes the golden file instead of comparing with it.
	Update bool
}

// Scrub is a pattern and what stands for its matches in a golden file.
type Scrub struct {
	Pattern *regexp.Regexp
	With    string
}

// Lacking is a script that this machine cannot run.
type Lacking struct {
	Script      string
	Requirement string
	Why         string
}

func (e *Lacking) Error() string {
	return fmt.Sprintf("%s requires %s: %s", e.Script, e.Requirement, e.Why)
}

// Mismatch is a script that prints something else.
type Mismatch struct {
	Script string
	Diff   string // from the golden file to what was printed
}

func (e *Mismatch) Error() string { return e.Script + " differs from its golden file:\n" + e.Diff }

// Check runs a script. The error is nil, a *Lacking, a *Mismatch, or of a file.
func (g *Golden) Check(script string) error {
	source, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	for _, r := range requirements(source) {
		why, err := g.Lacks(r)
		if err != nil {
			return fmt.Errorf("%s: %w", script, err)
		}
		if why != "" {
			return &Lacking{script, r, why}
		}
	}
	path := strings.TrimSuffix(script, ".star") + ".golden"
	want, err := os.ReadFile(path)
	if err != nil && !(g.Update && os.IsNotExist(err)) {
		return fmt.Errorf("%w (--update writes it)", err)
	}
	var stdout, stderr bytes.Buffer
	status := g.Run(script, &stdout, &stderr)
	// Positions are the same from wherever it is run.
	dir := regexp.MustCompile(`(?m)(^|\s)` + regexp.QuoteMeta(filepath.Dir(script)+"/") + `(\S+:\d+:\d+: )`)
	got := txtar.Format(&txtar.Archive{Files: []txtar.File{
		{Name: "stdout", Data: []byte(g.scrub(dir.ReplaceAllString(stdout.String(), "$1$2")))},
		{Name: "stderr", Data: []byte(g.scrub(dir.ReplaceAllString(stderr.String(), "$1$2")))},
		{Name: "status", Data: []byte(fmt.Sprintln(status))},
	}})
	switch {
	case bytes.Equal(got, want):
		return nil
	case g.Update:
		return os.WriteFile(path, got, 0o666)
	default:
		return &Mismatch{script, string(diff.Diff(path, want, "what was printed", got))}
	}
}

func (g *Golden) scrub(text string) string {
	for _, s := range g.Scrub {
		text = s.Pattern.ReplaceAllString(text, s.With)
	}
	return text
}

// requirements reads the comment lines at the top of a script.
func requirements(source []byte) []string {
	var list []string
	for scan := bufio.NewScanner(bytes.NewReader(source)); scan.Scan(); {
		line, comment := strings.CutPrefix(scan.Text(), "#")
		if !comment {
			break
		}
		if words, ok := strings.CutPrefix(strings.TrimSpace(line), "requires:"); ok {
			for word := range strings.SplitSeq(words, ",") {
				list = append(list, strings.TrimSpace(word))
			}
		}
	}
	return list
}
