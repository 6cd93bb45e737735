package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// suite is the tests of one package.
type suite struct {
	pkg    string // its import path
	dir    string // beneath the root of the repository
	binary string // in the virtual machine
}

// touching are the packages that reach the running kernel. The tests of packages that do not, cannot differ there.
var touching = []string{"bpfsh/builtins/engine/kernel", "bpfsh/builtins/host"}

// programs are what tests start, from this machine, if it has them.
var programs = []string{"sh", "bash", "setpriv", "mount", "umount", "unshare", "stty", "cat", "head", "sleep", "true", "chmod", "env", "bpftool"}

// elsewhere are tests that the kernel has no part in, and that take long or want what is not there: of arbitrary scripts
// and faults on the memory engine, of its golden scripts, of the source, of many hosts, and of maps that other programs have made.
const elsewhere = "^FuzzScript$|^TestRandomScripts$|^TestColumns$|^TestDryRun$|^TestFaults$|^TestGolden$/^memory$|^TestDryRunGoldens$/^memory$|^TestRooms$|^TestASCII$|^TestManyHosts$|^TestMapsOfBpftool$|^TestMapsOfBpftrace$|^TestBpftrace$"

// pack builds the tests of the packages that touch the kernel, and writes an initramfs that runs them.
func pack(ctx context.Context, work, initramfs, packages, tests string) ([]suite, error) {
	suites, err := findSuites(ctx, packages)
	if err != nil {
		return nil, err
	}
	f, err := os.Create(initramfs)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(z)
	c := newCPIO(w)
	c.device("dev/console", 5, 1) // so that the first process has somewhere to write to
	if err := packInit(ctx, c, work); err != nil {
		return nil, err
	}
	var plan strings.Builder
	for _, s := range suites {
		fmt.Printf("building the tests of %s\n", s.pkg)
		built := filepath.Join(work, "test")
		if err := build(ctx, "test", "-c", "-ldflags=-s -w", "-o", built, s.pkg); err != nil {
			return nil, err
		}
		if err := packFile(c, s.binary, built, modeBinary); err != nil {
			return nil, err
		}
		fmt.Fprintf(&plan, "%s\t%s\t%s\t-test.v=test2json -test.short -test.timeout=20m -test.run=%s -test.skip=%s\n", s.pkg, path.Join("src", s.dir), s.binary, tests, elsewhere)
	}
	c.add("plan", modeFile, []byte(plan.String()))
	if err := packTree(ctx, c); err != nil {
		return nil, err
	}
	if err := packPrograms(ctx, c); err != nil {
		return nil, err
	}
	return suites, errors.Join(c.close(), w.Flush(), z.Close(), f.Close())
}

// findSuites are the packages whose tests reach what touches the kernel, and that have a text in their paths: as "./a/..."
// too, which is how go test takes it.
func findSuites(ctx context.Context, having string) (suites []suite, err error) {
	having = strings.Trim(having, "./")
	out, err := output(exec.CommandContext(ctx, "go", "list", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./..."))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		pkg, isTest := strings.CutSuffix(f[0], ".test") // the program that runs a package's tests
		reaches := func(dep string) bool { return slices.Contains(touching, dep) }
		if isTest && strings.Contains(pkg, having) && slices.ContainsFunc(f[1:], reaches) {
			_, dir, _ := strings.Cut(pkg, "/")
			suites = append(suites, suite{pkg, dir, path.Join("tests", dir, path.Base(dir)+".test")})
		}
	}
	if len(suites) == 0 {
		return nil, fmt.Errorf("no package has %q in its path and tests that touch the kernel", having)
	}
	return suites, nil
}

// build runs the go command so that what it builds is static.
func build(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return err
}

func packInit(ctx context.Context, c *cpio, work string) error {
	built := filepath.Join(work, "init")
	if err := build(ctx, "build", "-ldflags=-s -w", "-o", built, "./.ci/kernels/init"); err != nil {
		return err
	}
	return packFile(c, "init", built, modeBinary)
}

// packTree adds the files of the repository, which tests read. What is not committed is there too.
func packTree(ctx context.Context, c *cpio) error {
	out, err := output(exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		mode := modeFile
		if st, err := os.Stat(name); err == nil && st.Mode()&0o111 != 0 {
			mode = modeBinary
		}
		err := packFile(c, "src/"+name, name, mode)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // it was removed, and that is not committed
			return err
		}
	}
	return nil
}

// packPrograms adds programs with the libraries that they want. A test that wants one that is not there says so.
func packPrograms(ctx context.Context, c *cpio) error {
	added := map[string]bool{}
	for _, name := range programs {
		file, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if err := packFile(c, "bin/"+name, file, modeBinary); err != nil {
			return err
		}
		out, err := output(exec.CommandContext(ctx, "ldd", file))
		if err != nil { // it is static
			continue
		}
		for _, library := range strings.Fields(out) {
			if !strings.HasPrefix(library, "/") || added[library] {
				continue
			}
			added[library] = true
			if err := packFile(c, strings.TrimPrefix(library, "/"), library, modeBinary); err != nil {
				return err
			}
		}
	}
	return nil
}

func packFile(c *cpio, name, file string, mode int) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	c.add(name, mode, data)
	return c.err
}
