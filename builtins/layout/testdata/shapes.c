// Structs of every alignment, packing and bit-field shape, as clang lays them out for eBPF. The test reads the same
// lines as spellings: each struct is on one line, with the name of a variable of it at the end.
//
//	clang -g -O2 -target bpf -c shapes.c -o shapes.o && llvm-strip -g shapes.o
//
// leaves the types alone in the object. Before clang 16, the values of enums64 are cut; their places are right.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef unsigned __int128 u128;
typedef __int128 i128;
typedef float f32;
typedef double f64;
typedef _Bool bool;
typedef u16 be16;
typedef u32 be32;
typedef u64 be64;
typedef u32 ipv4;
typedef u32 ipv6[4];
typedef u8 mac[6];
typedef char comm[16];
typedef u64 ktime;
typedef i32 errno;
struct cidr4 { u32 prefixlen; u8 addr[4]; };
struct bpf_spin_lock { u32 val; };
struct bpf_timer { u64 __opaque[2]; } __attribute__((aligned(8)));
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))

// Alignment.
struct order1 { u8 a; u16 b; u32 c; u64 d; u128 e; } order1_;
struct order2 { u128 a; u64 b; u32 c; u16 d; u8 e; } order2_;
struct order3 { u8 a; i128 b; u8 c; } order3_;
struct order4 { u8 a; u64 b; u8 c; u32 d; u8 e; u16 f; u8 g; } order4_;
struct signs { i8 a; i16 b; i32 c; i64 d; } signs_;
struct words { unsigned char a; unsigned long b; unsigned long long c; long int d; short unsigned int e; unsigned f; } words_;
struct floats { u8 a; float b; u8 c; double d; } floats_;
struct bools { bool a; _Bool b[3]; u32 c; bool d; } bools_;
struct text { u8 a; char b[7]; char c; u16 d; char e[3][5]; comm f; } text_;
struct pointers { u8 a; void *b; u8 c; const char *d; struct sock *e; u32 **f[2]; struct pointers *const next; } pointers_;
struct qualified { const u32 a; volatile u8 b; u16 const c; void *restrict d; } qualified_;
struct network { u8 a; be16 b; u8 c; be32 d; be64 e; ipv4 f; mac g; ipv6 h; } network_;
struct hints { u8 a; ktime b; u8 c; errno d; } hints_;

// Arrays.
struct arrays { u8 m[2][3]; u16 n[3]; u32 o[2][2]; u64 p[1]; } arrays_;
struct none { u8 a; u64 b[0]; u8 c; } none_;
struct flexible { u32 n; u16 rest[]; } flexible_;
struct inner { u8 a; struct in { u16 x; u8 y; } b[3]; u8 c; } inner_;

// Structs and unions within.
struct nested { u8 a; struct { u8 b; u64 c; } d; u8 e; struct { u8 f; } g; u32 h; } nested_;
struct anonymous { u8 a; struct { u8 b; u32 c; }; union { u16 d; u64 e; u8 f[3]; }; u8 g; } anonymous_;
struct deep { u8 a; struct { u8 b; union { struct { u16 c; u8 d; }; u32 e; }; u8 f; }; } deep_;
struct empty { struct { } a; u8 b; } empty_;
union sizes { u8 a[5]; u32 b; u16 c; } sizes_;
union parts { u64 whole; struct { u32 low; u32 high; }; u8 bytes[8]; } parts_;
union odd { u8 a[9]; u128 b; } odd_;

// Enums.
struct enums { u8 a; enum { A1 = 1, B1 = 0x10U } b; u8 c; } enums_;
struct enums64 { u8 a; enum { A2 = -1, B2 } b; u8 c; enum { A3 = 0x100000000ULL } d; u8 e; } enums64_;
struct bytes_of_enums { enum { A4 = 1, B4 = 255 } __attribute__((packed)) a; enum { A5 = 256 } __attribute__((packed)) b; u8 c; } bytes_of_enums_;

// Bit fields.
struct bits1 { u8 a : 4, b : 4; u16 c : 1; u8 d; } bits1_;
struct bits2 { u32 a : 20, b : 20; u8 c; } bits2_;
struct bits3 { u8 a; u32 b : 3; u64 c : 40; i16 d : 5; i8 e; } bits3_;
struct bits4 { u8 a : 3, : 2, b : 3, c : 1; } bits4_;
struct bits5 { u8 a : 3; u32 : 0; u8 b : 3; u64 : 0; u8 c; } bits5_;
struct bits6 { u64 a : 33; u32 b : 31; u8 c : 1; u64 d : 63; u64 e : 2; } bits6_;
struct bits7 { bool a : 1, b : 1; u8 c : 6; bool d; enum { A6, B6 } e : 2; } bits7_;
struct bits8 { u8 a; u16 b : 9; u8 c; u16 d : 9; u32 e : 25; } bits8_;
struct bits9 { struct { u8 a : 3; u8 b : 5; }; union { u32 c : 7; u8 d; }; } bits9_;
struct bits10 { u32 : 7; u8 a; u16 : 1; u64 b; } bits10_;
union bits11 { u32 a : 3; u8 b; u64 c : 60; } bits11_;

// Packing, and more alignment than is natural.
struct packed1 { u8 a; u32 b; u16 c; u64 d; } __attribute__((packed)) packed1_;
struct __attribute__((packed)) packed2 { u8 a : 3; u32 b : 20; u16 c; u8 d : 1; } packed2_;
struct packed3 { u8 a; struct { u8 b; u32 c; } d; u16 e; } __packed packed3_;
struct packed4 { u8 a; struct { u8 b; u32 c; } __packed d; u16 e; } packed4_;
struct packed5 { u8 a; u32 b __attribute__((packed)); u64 c; } packed5_;
struct packed6 { u8 a : 3; u32 : 0; u8 b; u64 c : 60; u8 d : 7; } __packed packed6_;
struct packed7 { u8 a; u64 b; u8 c; } __attribute__((packed, aligned(4))) packed7_;
union packed8 { u8 a[5]; u32 b; } __packed packed8_;
struct aligned1 { u8 a; u8 b; } __attribute__((aligned(8))) aligned1_;
struct aligned2 { u8 a; u8 b __aligned(8); u16 c; } aligned2_;
struct aligned3 { u8 a; struct { u32 b; } __attribute__((__aligned__(16))) c; u8 d; } aligned3_;
struct aligned4 { u8 a; u32 b __attribute__((aligned(2))); u64 c; } aligned4_;
struct aligned5 { u8 a; u32 b __aligned(4); u8 c; } __packed aligned5_;
struct aligned6 { u32 a; struct { u8 b; } __aligned(4) c[3]; u8 d; } __aligned(32) aligned6_;
union aligned7 { u8 a; u16 b; } __aligned(64) aligned7_;

// What the kernel keeps.
struct locked { struct bpf_spin_lock lock; u64 n; } locked_;
struct timed { u8 a; struct bpf_timer timer; struct bpf_timer more[2]; } timed_;
struct held { u32 a; struct task_struct __kptr *task; struct cgroup __kptr *cgroup; void *plain; } held_;
