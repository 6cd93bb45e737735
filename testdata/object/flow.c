// What object_*.star load. Made by: clang -O2 -g -target bpf -c flow.c -o flow.o
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define UINT(name, value) int (*name)[value]
#define TYPE(name, type) typeof(type) *name

enum verdict { PASS, DROP };

struct flow_key {
	u32 saddr;
	u16 port;
	u8 proto;
};

struct flow {
	u64 packets;
	u64 seen;
	enum verdict verdict;
	char comm[16];
};

struct {
	UINT(type, 1); // hash
	UINT(max_entries, 1024);
	TYPE(key, struct flow_key);
	TYPE(value, struct flow);
} flows_with_a_long_name SEC(".maps");

struct slots {
	UINT(type, 2); // array
	UINT(max_entries, 4);
	TYPE(key, u32);
	TYPE(value, u64);
} slots SEC(".maps");

struct {
	UINT(type, 12); // array_of_maps
	UINT(max_entries, 2);
	TYPE(key, u32);
	struct slots *values[];
} outer SEC(".maps") = { .values = { [1] = &slots } };

u64 counter = 5;
struct flow last = { .packets = 1, .comm = "curl" };
const volatile int limit = 42;
u64 zeros[3];

SEC("xdp") int count(void *ctx)
{
	counter += limit;
	last.packets++;
	zeros[1]++;
	return 2;
}

char LICENSE[] SEC("license") = "GPL";
