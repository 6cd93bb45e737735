package builtins_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bpfsh/builtins"
	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/memory"
	"bpfsh/runtime"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
)

var randomScripts = flag.Int("scripts", 2000, "how many random scripts to run")

// run runs a script on maps in memory, within limits. What reaches beyond the process is taken from it: files, and time.
func run(source string) error {
	library := builtins.New(&memory.Engine{}, nil)
	defer library.Close()
	predeclared := library.Predeclared()
	for _, name := range []string{"read", "write", "lines", "sleep", "load"} {
		predeclared[name] = starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return nil, errors.New("not here")
		})
	}
	s := runtime.New(runtime.Config{Stdout: io.Discard, Predeclared: predeclared, Timeout: 5 * time.Second, MaxSteps: 20000})
	hangs := time.AfterFunc(time.Minute, func() { panic("it hangs:\n" + source) })
	defer hangs.Stop()
	err := s.Run("fuzz.star", []byte(source))
	s.Report(err)
	return errors.Join(err, s.Finish())
}

// internal says whether a script has met a fault of bpfsh's own.
func internal(err error) bool {
	_, ok := errors.AsType[*runtime.InternalError](err)
	return ok
}

// FuzzScript runs arbitrary source: it may fail in any way but a panic, and ends.
func FuzzScript(f *testing.F) {
	for _, pattern := range []string{"../testdata/*.star", "../scripts/*.star"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no scripts like %s: %v", pattern, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(source))
		}
	}
	// Starlark itself makes as long a list or text as it is told to.
	large := regexp.MustCompile(`\d{6,}|<<|\d[eE]\d|0x[0-9a-fA-F]{5,}|\bload\b`)
	f.Fuzz(func(t *testing.T, source string) {
		if large.MatchString(source) {
			t.Skip("it may want more memory than there is")
		}
		if err := run(source); internal(err) {
			t.Error(err)
		}
	})
}

// TestRandomScripts calls every method and function of maps with arguments that fit, nearly fit, and do not.
func TestRandomScripts(t *testing.T) {
	seed := rand.Uint64()
	for i := range uint64(*randomScripts) {
		g := &scriptWriter{rand.New(rand.NewPCG(seed, i))}
		source := g.script()
		if err := run(source); internal(err) {
			t.Fatalf("seed %d, script %d: %v\n%s", seed, i, err, source)
		}
	}
}

// scriptWriter makes up scripts.
type scriptWriter struct{ *rand.Rand }

func (g *scriptWriter) of(choices ...string) string { return choices[g.IntN(len(choices))] }

// scriptMethods are the rows that scripts call, by what they are of.
var scriptMethods = func() map[string][]method.Entry {
	of := map[string][]method.Entry{}
	for _, topic := range builtins.Topics() {
		for _, e := range topic.Entries {
			what := map[string]string{"types": "type", "record": "record", "percpu": "value"}[topic.Name]
			if e.Kind == "function" {
				what = "function"
			} else if what == "" {
				what = "map"
			}
			of[what] = append(of[what], e)
		}
	}
	return of
}()

func (g *scriptWriter) script() string {
	var sb strings.Builder
	sb.WriteString("made = []\nt = typeof(\"struct { u32 a; be16 b; char c[3]; }\")\n")
	for range 1 + g.IntN(3) {
		fmt.Fprintf(&sb, "made.append(catch(create, %s, max_entries=%s, name=\"m\"%s)[0] or create(\"array\", value=\"u32\", max_entries=4))\n",
			g.kinds(), g.of("1", "4", "4", "64", "0", "5000"), g.of("", "", "", ", flags=1", ", flags=BPF_F_RDONLY_PROG", ", inner=create(\"array\", value=\"u32\", max_entries=1)", ", map_extra=3"))
	}
	sb.WriteString("m = made[-1]\nv = catch(lambda: list(m.values())[0])[0]\n")
	for range 3 + g.IntN(12) {
		switch g.IntN(12) {
		case 0:
			sb.WriteString("m = made[" + fmt.Sprint(g.IntN(3)) + " % len(made)]\n")
		case 1:
			fmt.Fprintf(&sb, "catch(lambda: [%s for x in m.%s()])\n", g.of("m.delete(x)", "m.update(x[0], x[1])", "m.close()", "made.append(m)", "x", "m.update(x, 1)"),
				g.of("keys", "items", "values", "lookup_batch", "pop_batch", "drain", "clear"))
		case 2:
			fmt.Fprintf(&sb, "catch(lambda: show(%s, %s))\n", g.value(), g.of("limit=None", "limit=1", "40"))
		case 3:
			fmt.Fprintf(&sb, "catch(lambda: %s in m)\ncatch(lambda: m[%s])\ncatch(lambda: %s in m.kernel)\n", g.key(), g.key(), g.key())
		case 4:
			fmt.Fprintf(&sb, "def put():\n    m[%s] = %s\ncatch(put)\n", g.key(), g.value())
		default:
			what := g.of("map", "map", "map", "map", "map", "type", "value", "record", "function")
			e := scriptMethods[what][g.IntN(len(scriptMethods[what]))]
			of := map[string]string{"map": "m.", "type": g.of("t.", "m.value_type."), "value": "v.", "record": "t(1, 2, \"x\").", "function": ""}[what]
			fmt.Fprintf(&sb, "v = catch(lambda: %s%s%s)[0] or v\n", of, e.Name, g.arguments(e))
		}
	}
	return sb.String()
}

// kinds are the arguments of create that say what map to make.
func (g *scriptWriter) kinds() string {
	var s string
	if g.IntN(10) > 0 {
		s = fmt.Sprintf("%q", g.of("hash", "hash", "array", "lru_hash", "percpu_hash", "percpu_array", "lpm_trie", "queue", "stack", "bloom_filter", "array_of_maps", "hash_of_maps"))
	} else {
		s = fmt.Sprintf("%q", g.of(engine.TypeNames()...))
	}
	if strings.Contains(s, "array") || slices.Contains([]string{`"queue"`, `"stack"`, `"bloom_filter"`}, s) {
		return s + fmt.Sprintf(", value=%q", g.spelling())
	}
	key := g.spelling()
	if strings.Contains(s, "trie") {
		key = g.of("cidr4", "cidr6", "u64", "struct { u32 len; u8 a[3]; }")
	}
	return s + fmt.Sprintf(", key=%q, value=%q", key, g.spelling())
}

func (g *scriptWriter) spelling() string {
	return g.of("u32", "u32", "u64", "u8", "ipv4", "char[4]", "bytes[3]", "struct { u32 a; be16 b; char c[3]; }", "struct { struct bpf_spin_lock l; u32 a; }", "u16[2]", "f64", "bool", "i128", "union { u32 a; u8 b[6]; }")
}

// arguments are those of a call of a row.
func (g *scriptWriter) arguments(e method.Entry) string {
	if e.Kind == "attribute" || e.Kind == "constant" {
		return g.of("", "", "()")
	}
	var args []string
	for p := range strings.SplitSeq(e.Params, ", ") {
		name, _, optional := strings.Cut(p, "=")
		name = strings.TrimLeft(name, "*")
		if name == "" || optional && g.IntN(2) == 0 || g.IntN(20) == 0 {
			continue
		}
		value := g.value()
		switch {
		case g.IntN(12) == 0: // whatever it should be
		case name == "key":
			value = g.key()
		case name == "flags":
			value = g.of("0", "BPF_NOEXIST", "BPF_EXIST", "BPF_F_LOCK", "64", "-1", "1 | 4")
		case name == "cpu" || name == "size" || name == "limit":
			value = g.of("0", "1", "2", "None", "-1", "cpus()", "1000")
		case name == "path":
			value = g.of(`"/sys/fs/bpf/a"`, `"/sys/fs/bpf/b"`, `"/tmp/x"`, `""`)
		case name == "entries":
			value = g.of("[(1, 2), (2, 3)]", "{1: 2, 2: 3, 3: 4, 4: 5, 5: 6}", "m", "made[0]", "m.lookup_batch()", "m.kernel.items()", "[1]")
		case name == "keys" || name == "values":
			value = g.of("range(3)", "[1, 2, 9]", "m", "[]", "[\"a\"]")
		case name == "missing_ok" || name == "replace" || name == "readonly":
			value = g.of("True", "False")
		case name == "raw":
			value = g.of(`b"abc"`, `b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"`)
		}
		args = append(args, g.of("", name+"=")+value)
	}
	slices.SortStableFunc(args, func(a, b string) int { // those without a name come first
		named := func(s string) int { return len(regexp.MustCompile(`^\w+=`).FindString(s)) }
		return min(named(a), 1) - min(named(b), 1)
	})
	return "(" + strings.Join(args, ", ") + ")"
}

func (g *scriptWriter) key() string {
	return g.of("0", "1", "2", "3", "4", "5", "-1", "4294967295", `"10.0.0.1"`, `"10.0.0.0/8"`, `"::/0"`, `"10.0.0.1/8"`, "(1, 2, \"x\")", "(0, [1, 2])", `b"abc"`, "None", `"abcd"`, "1.5")
}

func (g *scriptWriter) value() string {
	if g.IntN(3) == 0 {
		return g.key()
	}
	return g.of("1", "1 << 63", "-1", "[1, 2]", "[1] * cpus()", "{\"a\": 1}", "{\"a\": 1, \"b\": 2, \"c\": \"x\"}", "t(1, 2, \"x\")", "\"text\"", "v", "m", "made", "True", "1.5", "None", "len", "lambda: 1", "m.items()", "{}", "()")
}
