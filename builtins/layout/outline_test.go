package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOutline has the places of pahole.
func TestOutline(t *testing.T) {
	for _, test := range []struct{ spelling, want string }{
		{"u32", `u32`},
		{"cidr4", `cidr4`},
		{"u8[2][3]", `u8[2][3]`},
		{"struct flow { be32 a; be16 port[2]; u8 proto; }", `
struct flow {      /* 0 */
    be32 a;        /* 0 4 */
    be16 port[2];  /* 4 4 */
    u8 proto;      /* 8 1 */
}                  /* 0 12 */`},
		{"struct { u8 a : 3; u8 b : 5; union { u32 c; struct { u16 d; }; }; struct in { mac m; } e[2]; }", `
struct {            /* 0 */
    u8 a : 3;       /* 0:0 3 */
    u8 b : 5;       /* 0:3 5 */
    union {         /* 4 */
        u32 c;      /* 4 4 */
        struct {    /* 4 */
            u16 d;  /* 4 2 */
        };          /* 4 2 */
    };              /* 4 4 */
    struct in {     /* 8 */
        mac m;      /* 8 6 */
    } e[2];         /* 8 12 */
}                   /* 0 20 */`},
		{"struct { u8 a; u32 b; } __attribute__((packed))", `
struct {                   /* 0 */
    u8 a;                  /* 0 1 */
    u32 b;                 /* 1 4 */
} __attribute__((packed))  /* 0 5 */`},
		{"struct { struct bpf_spin_lock lock; u32 n; }", `
struct {                        /* 0 */
    struct bpf_spin_lock lock;  /* 0 4 */
    u32 n;                      /* 4 4 */
}                               /* 0 8 */`},
	} {
		typ, err := Parse(test.spelling)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, "\n"+typ.Outline()); diff != "" && test.want != typ.Outline() {
			t.Errorf("%s (-want +got):\n%s", test.spelling, diff)
		}
	}
}

// TestLongOutline leaves out what nobody would read.
func TestLongOutline(t *testing.T) {
	var sb strings.Builder
	for n := range 150 {
		fmt.Fprintf(&sb, "u8 f%d; ", n)
	}
	typ, err := Parse("struct { " + sb.String() + "}")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(typ.Outline(), "\n")
	if len(got) != 101 || !strings.Contains(got[99], "u8 f98;") || got[100] != "... 52 more lines" {
		t.Errorf("the last of %d lines are %q, want 100 and how many more", len(got), got[len(got)-2:])
	}
}
