package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"bpfsh/runtime/render"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// options are what the command line asks for.
type options struct {
	file      string // "" for none, "-" for standard input
	args      []string
	code      string
	codeGiven bool

	interactive bool
	golden      bool
	update      bool
	quiet       bool
	noMount     bool
	noInit      bool
	engine      string
	format      string // of values; "": a table on a terminal, else TSV
	color       string // "auto", "always" or "never"
	timeout     time.Duration
	maxSteps    uint64
	help        bool
	version     bool

	goldens []string
}

// flagSet has one row for each flag; the help is made from it.
func flagSet(o *options) *pflag.FlagSet {
	fs := pflag.NewFlagSet("bpfsh", pflag.ContinueOnError)
	fs.SetInterspersed(false) // what follows the script's name belongs to the script
	fs.SortFlags = false
	fs.Usage = func() {}
	fs.StringVarP(&o.code, "command", "c", "", "run `CODE`, and print its value if it ends in an expression")
	fs.BoolVarP(&o.interactive, "interactive", "i", false, "after the script, give a prompt with its names")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "no greeting at the prompt")
	fs.DurationVar(&o.timeout, "timeout", 0, "end the script after `TIME`, such as 30s")
	fs.Uint64Var(&o.maxSteps, "max-steps", 0, "end the script after `N` steps of computation")
	fs.StringVar(&o.engine, "engine", "kernel", "where the maps are: `kernel`, memory (in this process, for trying and testing), auto (kernel if permitted)")
	fs.StringVar(&o.format, "format", "", "how values are written: `FORMAT` is "+strings.Join(render.FormatNames(), ", ")+" (a table on a terminal, else tsv)")
	fs.StringVar(&o.color, "color", "auto", "`WHEN` there are colours is auto (on a terminal), always or never")
	fs.BoolVarP(&o.noInit, "no-init", "X", false, "at the prompt, do not run ~/.config/bpfsh/init.star first")
	fs.BoolVar(&o.noMount, "no-mount", false, "do not mount a bpffs at /sys/fs/bpf to pin there")
	fs.BoolVar(&o.golden, "golden", false, "run each FILE and compare with what its .golden file says")
	fs.BoolVar(&o.update, "update", false, "with --golden: write the .golden files")
	fs.BoolVarP(&o.version, "version", "V", false, "print the versions")
	fs.BoolVarP(&o.help, "help", "h", false, "print this help")
	return fs
}

func parseFlags(args []string) (*options, error) {
	o := &options{}
	fs := flagSet(o)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if err := checkEngine(o.engine); err != nil {
		return nil, err
	}
	if err := checkColor(o.color); err != nil {
		return nil, err
	}
	if o.format != "" {
		if _, err := render.ParseFormat(o.format); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
	}
	o.codeGiven = fs.Changed("command")
	rest := fs.Args()
	switch {
	case o.help || o.version:
	case o.golden:
		if len(rest) == 0 {
			return nil, errors.New("--golden wants scripts to run")
		}
		o.goldens = rest
	case o.update:
		return nil, errors.New("--update goes with --golden")
	case o.timeout < 0:
		return nil, fmt.Errorf("--timeout %v: want a time from 0", o.timeout)
	case o.codeGiven:
		o.args = rest
	case len(rest) > 0:
		o.file, o.args = rest[0], rest[1:]
	}
	return o, nil
}

func usage() string {
	var sb strings.Builder
	sb.WriteString(`bpfsh is a shell for eBPF maps.

  bpfsh                               a prompt
  bpfsh -c 'open("flows").count()'    run a line, and print its value
  bpfsh expire.star --age 60          run a script; its words are in args
  some-command | bpfsh -              run what comes from standard input
  bpfsh -i setup.star                 run a script, then a prompt with its names
  bpfsh --golden testdata/*.star      run scripts and compare with what they should print

usage: bpfsh [flags] [FILE [ARG...]]

`)
	flagSet(&options{}).VisitAll(func(f *pflag.Flag) {
		short, value, text := "    ", "", ""
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		if value, text = pflag.UnquoteUsage(f); value != "" && f.Value.Type() != "bool" {
			value = " " + value
		}
		fmt.Fprintf(&sb, "  %s--%-18s %s\n", short, f.Name+value, text)
	})
	sb.WriteString(`
Exit status: 0 done; 1 the script failed; 2 bad usage or no such file; 3 bpf() is not
permitted or not there; N from exit(N). A signal that ends the script ends bpfsh.

help() at the prompt lists the functions, and what a map can do.
`)
	return sb.String()
}

// version names what bpfsh is made of, and the kernel it runs on.
func version() string {
	var sb strings.Builder
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	fmt.Fprintf(&sb, "bpfsh %s (%s", info.Main.Version, info.GoVersion)
	for _, d := range info.Deps {
		if d.Path == "github.com/cilium/ebpf" || d.Path == "go.starlark.net" {
			fmt.Fprintf(&sb, ", %s %s", d.Path, d.Version)
		}
	}
	fmt.Fprintf(&sb, ") on Linux %s", kernelRelease())
	return sb.String()
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
