package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// machine is a virtual machine, whose CPU is interpreted: KVM is not everywhere, and all that is asked of it is the
// kernel's answers.
type machine struct {
	cpus    int
	memory  string
	timeout time.Duration
}

// run boots a kernel with an initramfs, and calls line with each line that its first process writes. What the kernel
// itself says at the console is told with an error.
func (m machine) run(ctx context.Context, image, initramfs string, line func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	console, err := os.CreateTemp("", "console")
	if err != nil {
		return err
	}
	defer os.Remove(console.Name())
	defer console.Close()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-smp", fmt.Sprint(m.cpus), "-m", m.memory,
		"-kernel", image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1",
		"-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
		"-serial", "file:"+console.Name(), "-serial", "stdio")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := false
	scan := bufio.NewReader(out)
	for {
		text, err := scan.ReadString('\n')
		if text = strings.TrimSuffix(text, "\n"); text != "" {
			ended = ended || text == markEnd
			line(text)
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	if err == nil && ended {
		return nil
	}
	spoken, _ := io.ReadAll(console) // there is nothing to tell if it cannot be read
	if context.Cause(ctx) == context.DeadlineExceeded {
		err = fmt.Errorf("it did not end within %v", m.timeout)
	}
	return errors.Join(errors.New("the virtual machine did not come to its end"), err, errors.New(said.String()+string(spoken)))
}
