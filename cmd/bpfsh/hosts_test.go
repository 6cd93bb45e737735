package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins/engine/kernel/kerneltest"
)

// hosts are three machines, web1 to web3, made of namespaces: each has a network with an sshd, a name, its own bpffs and its own
// /usr/local/bin. They go when the test ends, and also when it is killed: they wait for the end of their standard input.
type hosts struct {
	dir    string // with bpfsh and scripts; commands run here
	client int    // a process in the network from which they are reached
}

// newHosts skips the test where it may not be root, or lacks a program.
func newHosts(t *testing.T) *hosts {
	t.Helper()
	needKernel(t)
	if os.Getuid() != 0 {
		kerneltest.Skip(t, "hosts of namespaces want root", os.ErrPermission)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	paths := map[string]string{}
	for program, from := range map[string]string{"sshd": "openssh-server", "ssh": "openssh-client", "scp": "openssh-client",
		"ssh-keygen": "openssh-client", "clush": "clustershell", "ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux"} {
		path, err := exec.LookPath(program)
		if err != nil {
			kerneltest.Skip(t, fmt.Sprintf("there is no %s (Debian's package %s)", program, from), err)
		}
		paths[program] = path
	}
	h := &hosts{dir: t.TempDir()}
	h.keys(t, paths)
	h.client = inNetwork(t, "unshare", "--net", "cat")
	config := "IdentityFile " + h.path("key") + "\nIdentitiesOnly yes\nUser root\nBatchMode yes\nConnectTimeout 20\n" +
		"StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n"
	for i := 1; i <= 3; i++ {
		name := fmt.Sprint("web", i)
		pid := inNetwork(t, "unshare", "--net", "--uts", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "sh", "-ec", `
			echo "$1" > /proc/sys/kernel/hostname
			mount -t tmpfs none /run
			mkdir /run/sshd
			mount -t tmpfs none /usr/local/bin
			mount -t bpf none /sys/fs/bpf
			"$2" -D -e -f "$3" &
			cat`, "sh", name, paths["sshd"], h.path("sshd_config"))
		link := fmt.Sprint("to", i)
		h.ip(t, h.client, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(pid))
		for _, end := range []struct {
			pid           int
			link, address string
		}{{h.client, link, fmt.Sprintf("10.99.%d.1/30", i)}, {pid, "eth0", fmt.Sprintf("10.99.%d.2/30", i)}} {
			h.ip(t, end.pid, "address", "add", end.address, "dev", end.link)
			h.ip(t, end.pid, "link", "set", end.link, "up")
		}
		config += fmt.Sprintf("Host %s\nHostName 10.99.%d.2\n", name, i)
	}
	h.write(t, "ssh_config", config+"Host web4\nHostName 10.99.4.2\n", 0o600) // which is not there
	for i := 1; i <= 3; i++ {
		h.await(t, fmt.Sprint("web", i))
	}
	return h
}

// keys gives the hosts what sshd and ssh want. ssh and scp are those of the system, told where their configuration is.
func (h *hosts) keys(t *testing.T, paths map[string]string) {
	t.Helper()
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", h.path("key")).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	h.write(t, "sshd_config", "HostKey "+h.path("key")+"\nAuthorizedKeysFile "+h.path("key.pub")+"\nStrictModes no\nUsePAM no\n"+
		"PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\nSubsystem sftp internal-sftp\n", 0o600)
	if err := os.Mkdir(h.path("bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"ssh", "scp"} {
		h.write(t, "bin/"+program, fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", paths[program], h.path("ssh_config")), 0o700)
	}
	self, err := exec.LookPath("bpfsh")
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, self, h.path("bpfsh"))
	scripts, err := filepath.Abs("../../scripts")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(scripts, h.path("scripts")); err != nil {
		t.Fatal(err)
	}
}

func (h *hosts) path(name string) string { return filepath.Join(h.dir, name) }

func (h *hosts) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(h.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// inNetwork starts a command that makes a network for itself, and waits until it has.
func inNetwork(t *testing.T, name string, args ...string) (pid int) {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		end := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		if end.Stop(); err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", args, err, &log)
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		net, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		if err == nil && net != own {
			return cmd.Process.Pid
		}
		if time.Now().After(end) {
			kerneltest.Skip(t, "a network namespace is not permitted", err)
		}
	}
}

func (h *hosts) ip(t *testing.T, pid int, args ...string) {
	t.Helper()
	args = append([]string{"--net", "--target", strconv.Itoa(pid), "ip"}, args...)
	if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
		t.Fatalf("nsenter %s: %v\n%s", args, err, out)
	}
}

// run runs a command of a shell where the hosts can be reached.
func (h *hosts) run(t *testing.T, command string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command("nsenter", "--net", "--target", strconv.Itoa(h.client), "sh", "-c", command)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "PATH="+h.path("bin")+":"+os.Getenv("PATH"), "HOME="+h.dir)
	return outcome(t, cmd)
}

// await waits for a host's sshd.
func (h *hosts) await(t *testing.T, host string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, stderr, status := h.run(t, "ssh "+host+" hostname")
		if status == 0 && out == host+"\n" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: status %d, %s%s", host, status, out, stderr)
		}
	}
}

// flowsOfHost is a script that pins a map with entries that tell the host.
const flowsOfHost = `n = int(hostname()[-1])
m = create("hash", key="ipv4", value="struct { u64 packets; u64 bytes; u64 seen; }", max_entries=16, name="flows")
m.update_batch({"10.0.%d.%d" % (n, i): (i, 1000 * i + n, 1) for i in range(1, 6)})
m["10.0.%d.6" % n] = (6, 0, ktime())
m.pin("/sys/fs/bpf/flows", replace=True)
`

// TestManyHosts runs the commands of the README's section on many hosts, as they stand there, on three.
func TestManyHosts(t *testing.T) {
	h := newHosts(t)
	h.write(t, "flows.star", flowsOfHost, 0o600)
	h.write(t, "status.star", "exit({\"web1\": 0, \"web2\": 7, \"web3\": 4}[hostname()])\n", 0o600)
	everywhere := func(command string) {
		t.Helper()
		for i := 1; i <= 3; i++ {
			if _, stderr, status := h.run(t, strings.ReplaceAll(command, "HOST", fmt.Sprint("web", i))); status != 0 {
				t.Fatalf("%s: status %d, %s", command, status, stderr)
			}
		}
	}
	const (
		top = `{"host":"web1","key":"10.0.1.3","value":{"packets":3,"bytes":3001,"seen":1}}
{"host":"web1","key":"10.0.1.4","value":{"packets":4,"bytes":4001,"seen":1}}
{"host":"web1","key":"10.0.1.5","value":{"packets":5,"bytes":5001,"seen":1}}
`
		table = `key       packets  bytes  seen
10.0.1.5        5   5001     1
10.0.1.4        4   4001     1
10.0.1.3        3   3001     1
3 rows
6
`
		all = `host	key	value
web3	10.0.3.5	{"packets":5,"bytes":5003,"seen":1}
web2	10.0.2.5	{"packets":5,"bytes":5002,"seen":1}
web1	10.0.1.5	{"packets":5,"bytes":5001,"seen":1}
web3	10.0.3.4	{"packets":4,"bytes":4003,"seen":1}
`
		plan = `{"host":"web1","map":"/sys/fs/bpf/flows","entries":6,"expired":2}
{"host":"web1","op":"remove","map":"flows","id":N,"type":"hash","key":"10.0.1.1","old":{"packets":1,"bytes":1001,"seen":1}}
{"host":"web1","op":"remove","map":"flows","id":N,"type":"hash","key":"10.0.1.2","old":{"packets":2,"bytes":2001,"seen":1}}
`
	)
	rows := []struct {
		command string // a part of it
		each    string // what web1 prints, sorted; the others print the same with their numbers
		once    string // what is printed as it is
		before  string // a command that makes ready for it on each HOST
	}{
		{command: "scp -q bpfsh", before: "ssh HOST 'test ! -e /usr/local/bin/bpfsh'"},
		{command: "ssh web1 bpfsh", before: "ssh HOST bpfsh - < flows.star", once: table},
		{command: "for host in web1 web2 web3; do\n    ssh", each: top},
		{command: "--copy", before: "ssh HOST rm /usr/local/bin/bpfsh"},
		{command: "json.decode", once: all},
		{command: "--dry-run", each: plan},
	}
	commands := sectionCommands(t, "Many hosts")
	if len(commands) != len(rows) {
		t.Fatalf("the README has %d commands, want %d: %q", len(commands), len(rows), commands)
	}
	for i, row := range rows {
		if !strings.Contains(commands[i], row.command) {
			t.Fatalf("command %d of the README is %q, want %q in it", i, commands[i], row.command)
		}
		if row.before != "" {
			everywhere(row.before)
		}
		stdout, stderr, status := h.run(t, commands[i])
		want := row.once
		if row.once == "" {
			stdout = sortedLines(regexp.MustCompile(`"id":\d+`).ReplaceAllString(stdout, `"id":N`))
			want = sortedLines(row.each + ofHost(row.each, 2) + ofHost(row.each, 3))
		}
		if status != 0 || stdout != want {
			t.Fatalf("%s: status %d, printed\n%swant\n%s%s", commands[i], status, stdout, want, stderr)
		}
	}

	// What goes wrong on one host says which, and does not keep the others from their work.
	if _, stderr, status := h.run(t, "ssh web2 rm /sys/fs/bpf/flows"); status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for _, row := range []struct {
		command string
		status  int
		stdout  string // lines, sorted
		stderr  []string
	}{
		{commands[2], 0, top + ofHost(top, 3), []string{"no such pin (ENOENT)", "\nweb2: status 1\n"}},
		{strings.Split(commands[4], " > ")[0], 1, top + ofHost(top, 3), []string{"no such pin (ENOENT)", "web2: exited with exit code 1\n"}},
		{"clush -w web[1-3] -N -S bpfsh - < status.star", 7, "", []string{"web2: exited with exit code 7\n", "web3: exited with exit code 4\n"}},
		{"clush -w web[1-4] -N -S bpfsh - < status.star", 255, "", []string{"web4: exited with exit code 255\n", "web2: exited with exit code 7\n"}},
		{"clush -w web[1,3] -N -S bpfsh - --by bytes < scripts/talkers.star", 2, "", []string{"bpfsh: missing MAP (usage: bpfsh - [flags] MAP)\n", "web1: exited with exit code 2\n"}},
		{"clush -w web[1,3] -N -S bpfsh --readonly - /sys/fs/bpf/flows --hint value.seen=ktime --older 30s < scripts/expire.star", 1, "", []string{"--readonly: nothing is changed (EPERM)"}},
		{"clush -w web[1,3] -N -S bpfsh --timeout 100ms - < flood", 1, "", []string{"the time limit was reached", "web3: exited with exit code 1\n"}},
		{"for host in web1 web3; do ssh $host bpfsh - < status.star; echo $?; done", 0, "0\n4\n", nil},
		{"ssh web1 \"bpfsh -c 'open(\\\"/sys/fs/bpf/flows\\\").count()'\"", 0, "6\n", nil},
	} {
		h.write(t, "flood", "while True: pass\n", 0o600)
		stdout, stderr, status := h.run(t, row.command)
		if status != row.status || sortedLines(stdout) != sortedLines(row.stdout) {
			t.Errorf("%s: status %d, want %d; printed\n%swant\n%s%s", row.command, status, row.status, stdout, row.stdout, stderr)
		}
		for _, want := range row.stderr {
			if !strings.Contains("\n"+stderr, want) {
				t.Errorf("%s: reported %q, want %q in it", row.command, stderr, want)
			}
		}
	}
}

// ofHost is what web1 prints as another host prints it.
func ofHost(text string, n int) string {
	text = regexp.MustCompile(`web1|10\.0\.1`).ReplaceAllStringFunc(text, func(s string) string { return s[:len(s)-1] + strconv.Itoa(n) })
	return regexp.MustCompile(`001\b`).ReplaceAllString(text, fmt.Sprintf("00%d", n))
}

func sortedLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// sectionCommands are the blocks of commands in a section of the README.
func sectionCommands(t *testing.T, title string) []string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var commands []string
	for block := range strings.SplitSeq(section, "\n\n") {
		if !strings.HasPrefix(block, "    ") {
			continue
		}
		var lines []string
		for line := range strings.SplitSeq(strings.TrimRight(block, "\n"), "\n") {
			lines = append(lines, strings.TrimPrefix(line, "    "))
		}
		commands = append(commands, strings.Join(lines, "\n"))
	}
	return commands
}
