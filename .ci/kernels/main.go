// Command kernels runs the tests that touch the kernel on other kernels than the machine's own.
//
//	go run ./.ci/kernels [flags] KERNEL...
//
// A KERNEL is a series that Debian packages (5.10, 6.1, 6.12), "newest", or the path of a kernel image. The tests are
// built static and packed into an initramfs, with what they read and the programs that they start, and run as root in a
// virtual machine. It needs Go, git, qemu-system-x86_64, and apt to get kernels; neither KVM nor root.
//
// A test may be skipped there for what the kernel does not have yet, and for what the machine does not have that has
// nothing to do with the kernel, see report.go. Any other skip counts as a failure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "kernels: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("kernels", flag.ExitOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: go run ./.ci/kernels [flags] KERNEL...\nA KERNEL is %s or the path of an image.\n", seriesNames())
		flags.PrintDefaults()
	}
	var m machine
	cache := flags.String("cache", cacheDir(), "directory that keeps kernel images; also the variable "+cacheVariable)
	tests := flags.String("run", "", "run only the tests that match this, as go test -run does")
	packages := flags.String("pkg", "", "run only the packages whose paths have this in them")
	jobs := flags.Int("jobs", 2, "virtual machines at the same time")
	verbose := flags.Bool("v", false, "print all that the tests print")
	flags.IntVar(&m.cpus, "cpus", 2, "CPUs of a virtual machine")
	flags.StringVar(&m.memory, "memory", "3G", "memory of a virtual machine")
	flags.DurationVar(&m.timeout, "timeout", 30*time.Minute, "how long a virtual machine may run")
	flags.Parse(args) // which exits on an error
	if flags.NArg() == 0 {
		flags.Usage()
		return errors.New("no kernel is named")
	}

	work, err := os.MkdirTemp("", "kernels")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	initramfs := filepath.Join(work, "initramfs")
	suites, err := pack(ctx, work, initramfs, *packages, *tests)
	if err != nil {
		return stopped(ctx, err)
	}

	results := make([]*result, flags.NArg())
	var group sync.WaitGroup
	slots := make(chan struct{}, max(1, *jobs))
	for i, name := range flags.Args() {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = try(ctx, m, *cache, newResult(name, *tests != "", suites), initramfs, *verbose)
		})
	}
	group.Wait()

	for _, r := range results {
		r.write(os.Stdout)
	}
	return sum(results)
}

// try runs the tests on one kernel.
func try(ctx context.Context, m machine, cache string, r *result, initramfs string, verbose bool) *result {
	image, err := kernelImage(ctx, cache, r.name)
	if err != nil {
		r.broken = stopped(ctx, err)
		return r
	}
	begin := time.Now()
	err = m.run(ctx, image, initramfs, func(line string) {
		if verbose {
			fmt.Printf("%s: %s\n", r.name, line)
		}
		if said := r.read(line); said != "" && !verbose {
			fmt.Printf("%-8s %s\n", r.name, said)
		}
	})
	r.took, r.broken = time.Since(begin), stopped(ctx, err)
	fmt.Printf("%-8s %s\n", r.name, r.ended())
	return r
}

// stopped is the error of what was under way when a signal came.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}
