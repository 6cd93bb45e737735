// A program that sends events. Made by: clang -O2 -g -target bpf -c event.c -o event.o
typedef unsigned int u32;
typedef unsigned long long u64;

struct {
	int (*type)[27]; // BPF_MAP_TYPE_RINGBUF
	int (*max_entries)[4096];
} ring __attribute__((section(".maps"), used));

struct event {
	u64 ktime;
	u32 number;
	char comm[16];
	u32 unused;
};

static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static void *(*bpf_ringbuf_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, u64 flags) = (void *)132;

u32 number;

// clang writes a type down that a variable has; of those that functions alone use it says nothing.
const struct event *event_type __attribute__((used));

__attribute__((section("socket"), used)) int send(void *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e)
		return 0;
	e->ktime = bpf_ktime_get_ns();
	e->number = number++;
	e->unused = 0;
	__builtin_memset(e->comm, 0, sizeof(e->comm));
	e->comm[0] = 'm';
	e->comm[1] = 'e';
	bpf_ringbuf_submit(e, 0);
	return 0;
}

char gpl[] __attribute__((section("license"), used)) = "GPL";
