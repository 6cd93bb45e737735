package layout

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cTypes are written as C writes them too, with the typedefs of cPrologue.
var cTypes = []string{
	"struct { u8 a; u32 b; }",
	"struct { u8 a; u64 b; u8 c; }",
	"struct { u32 a; u16 b; u8 c; }",
	"struct { u8 a; u16 b[3]; u32 c[2][2]; }",
	"struct { u8 a; u128 b; i128 c; }",
	"struct { f32 a; f64 b; bool c; void *d; char e[5]; }",
	"struct { u8 a; ipv4 b; be16 c; mac d; ipv6 e; cidr4 f; cidr6 g; }",
	"struct { unsigned char a; short b; long c; unsigned long long d; int e; }",
	"struct { u8 a; struct { u16 b; u8 c; } in; u8 d; }",
	"struct { u8 a; struct { u64 b; u8 c; } in[2]; u8 d; }",
	"struct { u8 a; struct { u8 b; u32 c; }; u8 d; }",
	"struct { u8 a; union { u8 b; u32 c; u8 d[5]; }; u8 e; }",
	"struct { u8 a; struct { u8 none[0]; } in; u32 b; }",
	"struct { u16 a; u8 rest[0]; }",
	"union { u8 a[5]; u32 b; }",
	"union { u8 a; struct { u8 b; u64 c; } in; }",
	"union { u32 a:3; u8 b; }",
	"struct { u8 version:4, ihl:4; u8 tos; u16 len; }",
	"struct { u32 a:20, b:20; u8 c; }",
	"struct { u8 a; u32 b:3; u64 c:40; i16 d:5; i8 e; }",
	"struct { u8 a:3, :2, b:3, c:1; }",
	"struct { u8 a:3; u32 :0; u8 b:3; }",
	"struct { u32 :7; u8 a; }",
	"struct { u64 a:33; u32 b:31; u8 c:1; }",
	"struct { bool a:1, b:1; u8 c:6; bool d; }",
	"struct { enum { X, Y = 5 } a:4; enum { Z = -1 } b:3; u8 c; }",
	"struct { enum { X2 } a; enum { Y2 = -1 } b; enum { Z2 = 0x100000000 } c; }",
	"struct { u8 a; u32 b; u16 c; } __attribute__((packed))",
	"struct { u8 a; struct { u32 b; } __attribute__((packed)) in; u16 c; }",
	"struct { u8 a; struct { u8 b; u32 c; } in; } __attribute__((packed))",
	"struct __attribute__((packed)) { u8 a:3; u32 b:20; u16 c; u8 d:1; }",
	"struct { u8 a:3; u32 :0; u8 b; } __attribute__((packed))",
	"union { u8 a[5]; u32 b; } __attribute__((packed))",
}

const cPrologue = `
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
typedef int8_t i8; typedef int16_t i16; typedef int32_t i32; typedef int64_t i64;
typedef unsigned __int128 u128; typedef __int128 i128; typedef float f32; typedef double f64;
typedef u16 be16; typedef u32 ipv4; typedef u32 ipv6[4]; typedef u8 mac[6];
typedef struct { u32 prefixlen; u8 addr[4]; } cidr4; typedef struct { u32 prefixlen; u8 addr[16]; } cidr6;
static void dump(const char *name, const void *p, size_t n) {
	printf(" %s=", name);
	for (size_t i = 0; i < n; i++) printf("%02x", ((const unsigned char *)p)[i]);
}
`

// The C compiler sets all bits of one field after the other. Each must lie where it lies here.
func TestCompiler(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed")
	}
	prog := bytes.NewBufferString(cPrologue + "int main(void) {\n")
	want := make([]string, len(cTypes))
	for i, src := range cTypes {
		typ := mustParse(t, src)
		fmt.Fprintf(prog, "\t{ static %s v; printf(\"%%zu\", sizeof v);\n", src)
		want[i] = fmt.Sprint(typ.size)
		for j, f := range typ.record.fields {
			set := fmt.Sprintf("memset(&v.%s, 0xff, sizeof v.%[1]s)", f.name)
			if _, ok := f.codec.(bitCodec); ok {
				set = fmt.Sprintf("v.%s = -1", f.name)
			}
			fmt.Fprintf(prog, "\t\tmemset(&v, 0, sizeof v); %s; dump(\"%s\", &v, sizeof v);\n", set, f.name)
			want[i] += fmt.Sprintf(" %s=%x", f.name, onlyField(typ.record, j))
		}
		prog.WriteString("\t\tputchar('\\n'); }\n")
	}
	prog.WriteString("}\n")

	dir := t.TempDir()
	source, binary := filepath.Join(dir, "layout.c"), filepath.Join(dir, "layout")
	if err := os.WriteFile(source, prog.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-w", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	out, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != len(cTypes) {
		t.Fatalf("%d lines for %d types", len(got), len(cTypes))
	}
	for i, src := range cTypes {
		t.Run(src, func(t *testing.T) {
			if got[i] != want[i] {
				t.Errorf("here %s\n in C %s", want[i], got[i])
			}
		})
	}
}

// onlyField is a value in which all bits of field i are set, and no others.
func onlyField(rt *recordType, i int) []byte {
	f := &rt.fields[i]
	b := make([]byte, rt.typ.size)
	if c, ok := f.codec.(bitCodec); ok {
		storeBits(f.bytes(b), c.shift, c.width, 1<<64-1)
		return b
	}
	for j := range f.bytes(b) {
		f.bytes(b)[j] = 0xff
	}
	return b
}
