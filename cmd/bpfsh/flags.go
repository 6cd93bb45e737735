package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"bpfsh/runtime/render"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// options are what the command line asks for.
type options struct {
	file string // "" for none, "-" for standard input
	args []string
	code []string // of each -c, in order

	interactive bool
	golden      bool
	update      bool
	quiet       bool
	noMount     bool
	noInit      bool
	readonly    bool
	dryRun      bool
	engine      string
	format      string // of values; "": a table on a terminal, else TSV
	hostField   bool
	color       string // "auto", "always" or "never"
	timeout     time.Duration
	maxSteps    uint64
	help        bool
	man         bool
	completion  string // the shell that it is for; "" for none
	version     bool

	goldens []string
}

// flagSet has one row for each flag; the help is made from it.
func flagSet(o *options) *pflag.FlagSet {
	fs := pflag.NewFlagSet("bpfsh", pflag.ContinueOnError)
	fs.SetInterspersed(false) // what follows the script's name belongs to the script
	fs.SortFlags = false
	fs.Usage = func() {}
	fs.StringArrayVarP(&o.code, "command", "c", nil, "run `CODE`, and print its value if it has one")
	fs.BoolVarP(&o.interactive, "interactive", "i", false, "after the script, give a prompt with its names")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "no greeting at the prompt")
	fs.DurationVar(&o.timeout, "timeout", 0, "end the script after `TIME`, such as 30s")
	fs.Uint64Var(&o.maxSteps, "max-steps", 0, "end the script after `N` steps of computation")
	fs.StringVar(&o.engine, "engine", "kernel", "where the maps are: kernel, memory (this process), auto")
	choices(fs, "engine", "ENGINE", engineNames...)
	fs.BoolVar(&o.readonly, "readonly", false, "change no map and no pin: maps are opened read-only, and writes refused; files are written")
	fs.BoolVar(&o.dryRun, "dry-run", false, "change no map and no pin: writes stay in the process, and are printed as a plan at the end; files are written")
	fs.StringVar(&o.format, "format", "", "table (on a terminal), json, jsonl, csv, tsv (else), markdown")
	choices(fs, "format", "FORMAT", render.FormatNames()...)
	fs.BoolVar(&o.hostField, "host-field", false, "print JSON lines that begin with a field host, the name of this machine")
	fs.StringVar(&o.color, "color", "auto", "when there are colours: auto (on a terminal), always, never")
	choices(fs, "color", "WHEN", "auto", "always", "never")
	fs.BoolVarP(&o.noInit, "no-init", "X", false, "at the prompt, do not run ~/.config/bpfsh/init.star first")
	fs.BoolVar(&o.noMount, "no-mount", false, "do not mount a bpffs at /sys/fs/bpf to pin there")
	fs.BoolVar(&o.golden, "golden", false, "run each FILE and compare with what its .golden file says")
	fs.BoolVar(&o.update, "update", false, "with --golden: write the .golden files")
	fs.StringVar(&o.completion, "completion", "", "print a completion script for bash, zsh or fish")
	choices(fs, "completion", "SHELL", "bash", "zsh", "fish")
	fs.BoolVar(&o.man, "man", false, "print the manual page: bpfsh --man | man -l -")
	fs.BoolVarP(&o.version, "version", "V", false, "print the versions")
	fs.BoolVarP(&o.help, "help", "h", false, "print this help")
	return fs
}

// choicesKey is the annotation of a flag that takes one of some words.
const choicesKey = "choices"

// choices says which words a flag takes, and what the help calls its value.
func choices(fs *pflag.FlagSet, name, value string, words ...string) {
	f := fs.Lookup(name)
	f.Usage = "`" + value + "`: " + f.Usage
	f.Annotations = map[string][]string{choicesKey: words}
}

// describe is what a flag takes, "" if it takes nothing, and what it is for.
func describe(f *pflag.Flag) (value, text string) {
	value, text = pflag.UnquoteUsage(f)
	if f.Annotations[choicesKey] != nil {
		text = strings.TrimPrefix(text, value+": ")
	}
	if f.Value.Type() == "bool" {
		value = ""
	}
	return value, text
}

func parseFlags(args []string) (*options, error) {
	o := &options{}
	fs := flagSet(o)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	var wrong error
	fs.VisitAll(func(f *pflag.Flag) {
		if words := f.Annotations[choicesKey]; f.Changed && words != nil && !slices.Contains(words, f.Value.String()) && wrong == nil {
			wrong = fmt.Errorf("--%s %q: want %s or %s", f.Name, f.Value, strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
		}
	})
	if wrong != nil {
		return nil, wrong
	}
	rest := fs.Args()
	switch {
	case o.help, o.version, o.man, o.completion != "":
	case o.readonly && o.dryRun:
		return nil, errors.New("--readonly and --dry-run exclude each other: the one refuses writes, the other plans them")
	case o.hostField && o.format != "" && o.format != render.FormatJSONL.String():
		return nil, fmt.Errorf("--host-field is for --format jsonl, not %s", o.format)
	case o.golden && o.dryRun:
		return nil, errors.New("--dry-run does not go with --golden, which compares what scripts do")
	case o.golden:
		if len(rest) == 0 {
			return nil, errors.New("--golden wants scripts to run")
		}
		o.goldens = rest
	case o.update:
		return nil, errors.New("--update goes with --golden")
	case o.timeout < 0:
		return nil, fmt.Errorf("--timeout %v: want a time from 0", o.timeout)
	case o.code != nil:
		o.args = rest
	case len(rest) > 0:
		o.file, o.args = rest[0], rest[1:]
	}
	return o, nil
}

func usage() string {
	var sb strings.Builder
	sb.WriteString("bpfsh is a shell for eBPF maps.\n\n")
	for _, e := range examples {
		fmt.Fprintf(&sb, "  %-36s%s\n", e.command, e.text)
	}
	sb.WriteString("\nusage: bpfsh [flags] [FILE [ARG...]]\n\n")
	flagSet(&options{}).VisitAll(func(f *pflag.Flag) {
		short := "    "
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		value, text := describe(f)
		if value != "" {
			value = " " + value
		}
		fmt.Fprintf(&sb, "  %s--%-18s %s\n", short, f.Name+value, text)
	})
	sb.WriteString("\nExit status, unless a signal ends it:\n\n")
	for _, s := range statuses {
		fmt.Fprintf(&sb, "  %s  %s\n", s.status, s.text)
	}
	sb.WriteString("\nhelp() at the prompt lists the functions; --man has them all.\n")
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
