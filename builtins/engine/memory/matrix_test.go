package memory_test

import (
	"fmt"
	"strings"
	"testing"

	"bpfsh/builtins/engine"
	"bpfsh/builtins/engine/kernel/kerneltest"

	"golang.org/x/sys/unix"
)

// matrix is the table of kernel-semantics §2: what each type answers to each operation, ok or an errno. A number
// behind it is the count of a batch of 8.
var matrix = []struct{ types, answers string }{
	{"hash percpu_hash lru_hash lru_percpu_hash", `
		new ok/ok/ENOENT  present ok/EEXIST/ok  lock EINVAL  lookup ok/ENOENT  pop ok/ENOENT  delete ok/ENOENT  next_key ok/ENOENT
		lookup_batch ENOENT 1  pop_batch ENOENT 1  update_batch ok 1  delete_batch ok 1  freeze ok/EPERM`},
	{"array percpu_array", `
		new ok/EEXIST/ok  present ok/EEXIST/ok  lock EINVAL  lookup ok/ENOENT  pop 524/524  delete EINVAL/EINVAL  next_key ok/ok
		lookup_batch ENOENT 4  pop_batch 524 0  update_batch ok 1  delete_batch 524 0  freeze ok/EPERM`},
	{"hash+lock", `
		new ok/ok/ENOENT  present ok/EEXIST/ok  lock ok  lookup ok/ENOENT  pop ok/ENOENT  delete ok/ENOENT  next_key ok/ENOENT
		lookup_batch ENOENT 1  pop_batch ENOENT 1  update_batch ok 1  delete_batch ok 1  freeze 524/524`},
	{"array+lock", `
		new ok/EEXIST/ok  present ok/EEXIST/ok  lock ok  lookup ok/ENOENT  pop 524/524  delete EINVAL/EINVAL  next_key ok/ok
		lookup_batch ENOENT 4  pop_batch 524 0  update_batch ok 1  delete_batch 524 0  freeze 524/524`},
	{"lpm_trie", `
		new ok/ok/ENOENT  present ok/EEXIST/ok  lock EINVAL  lookup ok/ENOENT  pop 524/524  delete ok/ENOENT  next_key ok/ENOENT
		lookup_batch ENOENT 1  pop_batch 524 0  update_batch ok 1  delete_batch ok 1  freeze ok/EPERM`},
	{"queue stack", `
		new ok/EINVAL/ok  present ok/EINVAL/ok  lock EINVAL  lookup ok/ENOENT  pop ok/ENOENT  delete EINVAL/EINVAL  next_key EINVAL/EINVAL
		lookup_batch 524 0  pop_batch 524 0  update_batch 524 0  delete_batch 524 0  freeze ok/EPERM`},
	{"bloom_filter", `
		new ok/EINVAL/EINVAL  present ok/EINVAL/EINVAL  lock EINVAL  lookup ok/ENOENT  pop 524/524  delete EOPNOTSUPP/EOPNOTSUPP  next_key EOPNOTSUPP/EOPNOTSUPP
		lookup_batch 524 0  pop_batch 524 0  update_batch 524 0  delete_batch 524 0  freeze ok/EPERM`},
	{"array_of_maps", `
		new ok/EINVAL/EINVAL  present ok/EINVAL/EINVAL  lock EINVAL  lookup ok/ENOENT  pop 524/524  delete ok/ENOENT  next_key ok/ok
		lookup_batch ENOENT 1  pop_batch 524 0  update_batch ok 1  delete_batch 524 0  freeze ok/EPERM`},
	{"hash_of_maps", `
		new ok/ok/ENOENT  present ok/EEXIST/ok  lock EINVAL  lookup ok/ENOENT  pop 524/524  delete ok/ENOENT  next_key ok/ENOENT
		lookup_batch ENOENT 1  pop_batch ENOENT 1  update_batch ok 1  delete_batch ok 1  freeze ok/EPERM`},
}

func TestMatrix(t *testing.T) {
	engines(t, func(t *testing.T, e engine.Engine) {
		for _, row := range matrix {
			for _, name := range strings.Fields(row.types) {
				t.Run(name, func(t *testing.T) {
					want := strings.Join(strings.Fields(row.answers), " ")
					typ, withLock, _ := strings.Cut(name, "+")
					want = onOlder(e, engine.KindOf(kerneltest.Type(t, typ)), withLock != "", want)
					if got := answers(t, e, name); got != want {
						t.Errorf("got\n%s, want\n%s", got, want)
					}
				})
			}
		}
	})
}

// answers is a row of the matrix. Each cell has maps of its own: one with entry 1, and an empty one.
func answers(t *testing.T, e engine.Engine, name string) string {
	typ, withLock, _ := strings.Cut(name, "+")
	spec := good(t, typ)
	value, present, missing := make([]byte, 16), key32(1), key32(2)
	spec.ValueSize = 16
	if withLock != "" {
		spec.Key, spec.Value = u32, locked
	}
	switch spec.KeySize {
	case 0:
		present, missing = nil, nil
	case 8:
		present = []byte{32, 0, 0, 0, 10, 0, 0, 1}
		missing = []byte{32, 0, 0, 0, 10, 0, 0, 2}
	}
	if spec.Inner != nil {
		spec.ValueSize = 4
		value = key32(create(t, e, *spec.Inner).Value())
	}
	empty := func() engine.Map { return create(t, e, spec) }
	full := func() engine.Map {
		m := empty()
		if err := m.Update(present, long(m, value), 0); err != nil {
			t.Fatal(err)
		}
		return m
	}
	var cells []string
	add := func(what string, errs ...error) {
		var names []string
		for _, err := range errs {
			names = append(names, result{err: errorName(err)}.String())
		}
		cells = append(cells, what+" "+strings.Join(names, "/"))
	}
	update := func(m engine.Map, key []byte, flags uint64) error { return m.Update(key, long(m, value), flags) }
	add("new", update(empty(), missing, unix.BPF_ANY), update(empty(), missing, unix.BPF_NOEXIST), update(empty(), missing, unix.BPF_EXIST))
	add("present", update(full(), present, unix.BPF_ANY), update(full(), present, unix.BPF_NOEXIST), update(full(), present, unix.BPF_EXIST))
	add("lock", update(full(), present, unix.BPF_F_LOCK))
	out := long(full(), nil)
	outside := missing
	if k := engine.KindOf(spec.Type); k.Shape == engine.Indexed {
		outside = key32(4)
	}
	lookup := func(m engine.Map, key []byte) error { return m.Lookup(key, long(m, value), 0) }
	pop := func(m engine.Map, key []byte) error { return m.LookupAndDelete(key, out, 0) }
	m := full()
	if spec.KeySize == 0 { // missing from a map without keys is what an empty one has
		add("lookup", lookup(m, nil), lookup(empty(), nil))
		add("pop", pop(m, nil), pop(empty(), nil))
	} else {
		add("lookup", lookup(m, present), lookup(m, outside))
		add("pop", pop(m, present), pop(m, outside))
	}
	add("delete", full().Delete(present), full().Delete(outside))
	next := make([]byte, spec.KeySize)
	add("next_key", full().NextKey(nil, next), empty().NextKey(nil, next))
	const n = 8
	keys, values := make([]byte, n*max(1, int(spec.KeySize))), make([]byte, n*len(out))
	batch := func(what string, done int, err error) {
		add(what, err)
		cells[len(cells)-1] += fmt.Sprintf(" %d", done)
	}
	done, err := full().LookupBatch(&engine.Cursor{}, keys, values, n)
	batch("lookup_batch", done, err)
	done, err = full().LookupAndDeleteBatch(&engine.Cursor{}, keys, values, n)
	batch("pop_batch", done, err)
	done, err = full().UpdateBatch(present, long(full(), value), 1, 0)
	batch("update_batch", done, err)
	done, err = full().DeleteBatch(present, 1)
	batch("delete_batch", done, err)
	m = full()
	add("freeze", m.Freeze(), m.Freeze())
	return strings.Join(cells, " ")
}

// long is a value of every CPU.
func long(m engine.Map, value []byte) []byte {
	v := make([]byte, m.Info().Stride())
	copy(v, value)
	return v
}
