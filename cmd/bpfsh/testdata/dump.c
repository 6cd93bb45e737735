/* The twin of a benchmark: it prints the entries of a hash of u32 and u64 as JSON lines, read in batches with libbpf. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 4096 };

int main(int argc, char **argv)
{
	static __u32 keys[SIZE];
	static __u64 values[SIZE];
	__u32 place, *from = NULL;
	int fd = argc == 2 ? bpf_map_get_fd_by_id(atoi(argv[1])) : -1;
	if (fd < 0) {
		perror("open");
		return 1;
	}
	for (;;) {
		__u32 n = SIZE;
		int err = bpf_map_lookup_batch(fd, from, &place, keys, values, &n, NULL);
		if (err && errno != ENOENT) {
			perror("lookup batch");
			return 1;
		}
		for (__u32 i = 0; i < n; i++)
			printf("{\"key\":%u,\"value\":%llu}\n", keys[i], (unsigned long long)values[i]);
		if (err)
			return fflush(stdout) ? 1 : 0;
		from = &place;
	}
}
