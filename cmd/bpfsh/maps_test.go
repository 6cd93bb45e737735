package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// process is one that has a map open. Others than a test's own look at every map at times.
type process struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
}

// listed is what maps() tells of a map, as JSON.
type listed struct {
	ID         uint32    `json:"id"`
	Name       string    `json:"name"`
	Type       string    `json:"type"`
	KeyType    string    `json:"key_type"`
	ValueType  string    `json:"value_type"`
	Entries    *int      `json:"entries"`
	MaxEntries int       `json:"max_entries"`
	Full       *float64  `json:"full"`
	Pins       []string  `json:"pins"`
	Processes  []process `json:"processes"`
	Programs   []struct {
		ID   uint32 `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"programs"`
}

func listing(t *testing.T, out string) (maps []listed) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &maps); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return maps
}

// TestMapsOfBpftool lists maps that bpftool has made and pinned, in a mount namespace of their own.
func TestMapsOfBpftool(t *testing.T) {
	needKernel(t)
	if _, err := exec.LookPath("bpftool"); err != nil {
		kerneltest.Skip(t, "bpftool is not installed", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"setup.sh": `
set -e
mount -t bpf bpf "$1"
bpftool map create "$1/made" type hash key 4 value 8 entries 20 name bpfsh_m_hash
bpftool map create "$1/lru" type lru_hash key 4 value 4 entries 20 name bpfsh_m_lru
bpftool map create "$1/slots" type array key 4 value 4 entries 3 name bpfsh_m_array
for n in 1 2 3 4 5; do bpftool map update pinned "$1/made" key $n 0 0 0 value 1 0 0 0 0 0 0 0; done
mkdir "$1/sub"
bpftool map pin pinned "$1/made" "$1/sub/again"
trap 'rm -r "$1"/made "$1"/lru "$1"/slots "$1"/sub' EXIT
"$2" "$3"`,
		"maps.star": `
m = open("` + dir + `/bpf/sub/again", readonly=True)
print(json.encode(maps("bpfsh_m_*")))
print(json.encode(maps("bpfsh_m_*", type="hash", pid=maps("bpfsh_m_hash")[0].processes[0].pid)))`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bpf"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", filepath.Join(dir, "setup.sh"), filepath.Join(dir, "bpf"), command(t).Path, filepath.Join(dir, "maps.star"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	stdout, stderr, status := outcome(t, cmd)
	if status != 0 {
		t.Fatalf("exit status %d, %s", status, stderr)
	}
	first, second, _ := strings.Cut(stdout, "\n")
	maps := listing(t, first)
	slices.SortFunc(maps, func(a, b listed) int { return strings.Compare(a.Name, b.Name) })
	if len(maps) != 3 {
		t.Fatalf("got %+v, want three maps", maps)
	}
	array, hash, lru := maps[0], maps[1], maps[2]
	if want := []string{dir + "/bpf/made", dir + "/bpf/sub/again"}; !slices.Equal(hash.Pins, want) {
		t.Errorf("pinned at %q, want %q", hash.Pins, want)
	}
	if !slices.ContainsFunc(hash.Processes, func(p process) bool { return p.Comm == "bpfsh" }) {
		t.Errorf("open in %+v, want bpfsh", hash.Processes)
	}
	if hash.KeyType != "u32" || hash.ValueType != "u64" || hash.MaxEntries != 20 || hash.Programs == nil || len(hash.Programs) > 0 {
		t.Errorf("got %+v", hash)
	}
	if !kerneltest.Older("6.6") && (hash.Entries == nil || *hash.Entries != 5 || hash.Full == nil || *hash.Full != 0.25 || lru.Entries == nil || *lru.Entries != 0) {
		t.Errorf("5 of 20 entries are %v and %v", hash.Entries, hash.Full)
	}
	if array.Full != nil || array.Entries == nil || *array.Entries != 3 || !slices.Equal(array.Pins, []string{dir + "/bpf/slots"}) {
		t.Errorf("got %+v", array)
	}
	if of := listing(t, second); len(of) != 1 || of[0].ID != hash.ID {
		t.Errorf("the process has %+v open, want map %d", of, hash.ID)
	}
}

// TestMapsOfHostile lists a map that a process has open whose name is hostile: in no format does it reach a terminal.
func TestMapsOfHostile(t *testing.T) {
	needKernel(t)
	const self, comm = "/proc/self/comm", "b\x1b]0;pwn\x07\t\n\u202e"
	before, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self, []byte(comm), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(self, before, 0)
	run := runner(t, "kernel")
	run(`m = create("hash", key="u32", value="u32", max_entries=4, name="bpfsh_m_hostile")`)
	for _, format := range []string{"table", "json", "jsonl", "csv", "tsv", "markdown"} {
		out := run(`show(maps("bpfsh_m_hostile"), format="` + format + `")`)
		if !strings.Contains(out, "pwn") || format != "csv" && strings.ContainsAny(out, "\x1b\x07\u202e") {
			t.Errorf("%s: %q", format, out)
		}
	}
	if got := listing(t, run(`json.encode(maps("bpfsh_m_hostile"))`)); got[0].Processes[0].Comm != comm {
		t.Errorf("a script reads %q, want %q", got[0].Processes[0].Comm, comm)
	}
}

// TestMapsOfBpftrace lists the maps of a program that bpftrace runs.
func TestMapsOfBpftrace(t *testing.T) {
	needKernel(t)
	bpftrace, err := exec.LookPath("bpftrace")
	if err != nil {
		kerneltest.Skip(t, "bpftrace is not installed", err)
	}
	cmd := exec.Command(bpftrace, "-e", `BEGIN { @bpfsh_calls[1] = 1; @bpfsh_calls[2] = 2; printf("ready\n"); } interval:s:1 { @bpfsh_calls[3] = 1; }`)
	cmd.Env = append(os.Environ(), "BPFTRACE_NO_USER_SYMBOLS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines, said := bufio.NewScanner(out), ""
	for lines.Scan() && lines.Text() != "ready" {
		said += lines.Text() + "\n"
	}
	if lines.Text() != "ready" {
		kerneltest.Skip(t, "bpftrace does not run here: "+said, io.EOF)
	}
	run := runner(t, "kernel")
	pid := strconv.Itoa(cmd.Process.Pid)
	maps := listing(t, run(`json.encode(maps(pid=`+pid+`))`))
	at := slices.IndexFunc(maps, func(m listed) bool {
		return strings.HasPrefix(m.Name, "AT_bpfsh") || strings.HasPrefix(m.Name, "bpfsh_")
	})
	if at < 0 {
		t.Fatalf("none of bpftrace's maps has the name: %+v", maps)
	}
	m := maps[at]
	if !slices.ContainsFunc(m.Processes, func(p process) bool { return p.PID == cmd.Process.Pid && p.Comm == "bpftrace" }) {
		t.Errorf("open in %+v, want bpftrace(%s)", m.Processes, pid)
	}
	if len(m.Programs) == 0 {
		t.Fatalf("no program uses map %+v", m)
	}
	program := strconv.FormatUint(uint64(m.Programs[0].ID), 10)
	if of := listing(t, run(`json.encode(maps(program=`+program+`))`)); !slices.ContainsFunc(of, func(other listed) bool { return other.ID == m.ID }) {
		t.Errorf("the program uses %+v, and map %d is not among them", of, m.ID)
	}
}
