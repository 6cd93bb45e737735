// A program that reads a struct of every shape out of one map and writes its fields to another, and the other way round.
// Made by: clang -O2 -g -target bpf -c shapes.c -o shapes.o
typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define SEC(name) __attribute__((section(name), used))
#define UINT(name, value) int (*name)[value]
#define TYPE(name, type) typeof(type) *name

static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;

enum verdict { PASS = 3, DROP = 1000 };

struct shapes {
	u8 a;
	u16 b;
	u32 c : 3, d : 7;
	i32 e : 5;
	u64 f;
	i64 g;
	u16 port;
	u8 mac[6];
	union {
		u32 word;
		u8 parts[4];
	};
	struct {
		i8 x;
		u32 y;
	} __attribute__((packed)) p;
	enum verdict v;
	_Bool on;
	char name[5];
	u32 grid[2][2];
};

struct {
	UINT(type, 2); // array
	UINT(max_entries, 2);
	TYPE(key, u32);
	TYPE(value, struct shapes);
} shapes SEC(".maps");

struct {
	UINT(type, 2); // array
	UINT(max_entries, 32);
	TYPE(key, u32);
	TYPE(value, i64);
} fields SEC(".maps");

static void put(u32 i, i64 value)
{
	update(&fields, &i, &value, 0);
}

static i64 get(u32 i)
{
	i64 *value = lookup(&fields, &i);
	return value ? *value : -1;
}

SEC("socket") int read_shapes(void *ctx)
{
	u32 first = 0;
	struct shapes *s = lookup(&shapes, &first);
	if (!s)
		return 0;
	put(0, s->a);
	put(1, s->b);
	put(2, s->c);
	put(3, s->d);
	put(4, s->e);
	put(5, s->f);
	put(6, s->g);
	put(7, __builtin_bswap16(s->port));
	put(8, s->mac[0]);
	put(9, s->mac[5]);
	put(10, s->parts[2]);
	put(11, s->p.x);
	put(12, s->p.y);
	put(13, s->v);
	put(14, s->on);
	put(15, s->name[4]);
	put(16, s->grid[1][0]);
	return 0;
}

SEC("socket") int write_shapes(void *ctx)
{
	u32 second = 1;
	struct shapes s;
	__builtin_memset(&s, 0, sizeof(s));
	s.a = get(0);
	s.b = get(1);
	s.c = get(2);
	s.d = get(3);
	s.e = get(4);
	s.f = get(5);
	s.g = get(6);
	s.port = __builtin_bswap16((u16)get(7));
	s.mac[0] = get(8);
	s.mac[5] = get(9);
	s.parts[2] = get(10);
	s.p.x = get(11);
	s.p.y = get(12);
	s.v = get(13);
	s.on = get(14);
	s.name[4] = get(15);
	s.grid[1][0] = get(16);
	update(&shapes, &second, &s, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
