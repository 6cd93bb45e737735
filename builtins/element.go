package builtins

import (
	"bytes"
	"errors"

	"bpfsh/builtins/engine"
	"bpfsh/runtime/method"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"
)

var elementMethods = []method.Row[*Map]{{
	Name:   "update",
	Params: "key, value, flags=BPF_ANY",
	Doc: "Write value under key (BPF_MAP_UPDATE_ELEM).\n" +
		"BPF_NOEXIST: only if key is new (EEXIST); BPF_EXIST: only if it is there (ENOENT). BPF_F_LOCK takes the " +
		"value's spin lock meanwhile. E2BIG: the map is full. m[key] = value does the same with BPF_ANY.",
	Example: `m.update("10.0.0.9", {"packets": 1, "bytes": 60}, BPF_NOEXIST)
m.update("10.0.0.9", (2, 120), BPF_EXIST)    # the fields in order`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		flags, err := flagsOf(c, 2)
		if err != nil {
			return nil, err
		}
		return starlark.None, m.update(c.Name, c.Args[0], c.Args[1], flags)
	},
}, {
	Name:   "lookup",
	Params: "key, default=None, flags=0",
	Doc: "The value under key, or default if there is none (BPF_MAP_LOOKUP_ELEM).\n" +
		"In a trie: under the longest prefix that covers key. BPF_F_LOCK takes the value's spin lock meanwhile. " +
		"m[key] does the same, and is an error if there is none.",
	Example: `flow = m.lookup("10.0.0.9")    # None, where m["10.0.0.9"] is an error
flow = m.lookup("10.0.0.9", default=m.value_type())    # all zero`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		flags, err := flagsOf(c, 2)
		if err != nil {
			return nil, err
		}
		v, err := m.lookup(c.Name, c.Args[0], flags)
		if v == nil && err == nil {
			return c.Or(1, starlark.None), nil
		}
		return v, err
	},
}, {
	Name:   "delete",
	Params: "key, missing_ok=False",
	Doc: "Remove the entry under key (BPF_MAP_DELETE_ELEM).\n" +
		"ENOENT: there is none, unless missing_ok. It returns whether there was one.",
	Example: `m.delete("10.0.0.1")
if not m.delete("10.0.0.9", missing_ok=True):
    print("there was none")`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		missingOK, err := c.Bool(1, "missing_ok")
		if err != nil {
			return nil, err
		}
		defer m.giveBack()
		key, err := m.encodeKey(c.Name, c.Args[0])
		if err != nil {
			return nil, err
		}
		err = m.raw.Delete(key)
		if err != nil && missingOK && m.kind.Missing(err) {
			return starlark.False, nil
		}
		return starlark.True, m.explain(c.Name, c.Args[0], err)
	},
}, {
	Name:   "pop",
	Params: "key=..., default=...",
	Doc: "Remove the entry under key and return its value, in one step.\n" +
		"It is BPF_MAP_LOOKUP_AND_DELETE_ELEM. If there is none: default if one is given, else ENOENT. Of a queue or stack, pop() and pop(default=None) take " +
		"the next value. Hash types have it since Linux 5.14; others say what to call.",
	Example: `flow = m.pop("10.0.0.1", default=None)
job = queue.pop(default=None)    # a queue has no keys`,
	Run: (*Map).pop,
}, {
	Name:   "next_key",
	Params: "key=None",
	Doc: "The key that follows key (BPF_MAP_GET_NEXT_KEY); None behind the last.\n" +
		"The order is the kernel's own. Without key, or with one that is not in the map: the first. For loops, keys() is faster, and right while the map changes.",
	Example: `key = m.next_key()
while key != None:
    print(key)
    key = m.next_key(key)`,
	Run: func(m *Map, c method.Call) (starlark.Value, error) {
		var key []byte
		if k := c.Args[0]; k != nil && k != starlark.None {
			var err error
			if key, err = m.encodeKey(c.Name, k); err != nil {
				return nil, err
			}
		} else if m.key == nil {
			return nil, m.fail(c.Name, nil, errNotForType)
		}
		next := make([]byte, m.info.KeySize)
		if err := m.raw.NextKey(key, next); errors.Is(err, unix.ENOENT) {
			return starlark.None, nil
		} else if err != nil {
			return nil, m.explain(c.Name, c.Args[0], err)
		}
		return m.key.Decode(next), nil
	},
}}

// Get is m[key].
func (m *Map) Get(key starlark.Value) (starlark.Value, bool, error) {
	v, err := m.lookup("lookup", key, 0)
	if v == nil && err == nil {
		err = m.fail("lookup", key, unix.ENOENT)
	}
	return v, err == nil, err
}

// SetKey is m[key] = value.
func (m *Map) SetKey(key, value starlark.Value) error {
	return m.update("update", key, value, unix.BPF_ANY)
}

// Has is key in m. Of a trie it is exact: whether the prefix itself is an entry. Of a bloom filter it asks for a
// value, and may be true for one that was never added.
func (m *Map) Has(key starlark.Value) (bool, error) {
	const op = "in"
	defer m.giveBack()
	var err error
	switch {
	case m.kind.Shape == engine.Members:
		var value []byte
		if value, err = m.encodeValue(op, key); err != nil {
			return false, err
		}
		err = m.raw.Lookup(nil, value, 0)
	case m.kind.Trie:
		k, err := m.encodeKey(op, key)
		if err != nil {
			return false, err
		}
		return m.hasPrefix(op, key, k)
	default:
		var k []byte
		if k, err = m.encodeKey(op, key); err != nil {
			return false, err
		}
		err = m.raw.Lookup(k, m.valueBuf, 0)
	}
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil, m.explain(op, key, err)
}

// hasPrefix asks a trie for exactly one prefix. Its lookup finds prefixes that cover the key too; but the next key
// of one that is not an entry is the first of all, which never follows one that is.
func (m *Map) hasPrefix(op string, key starlark.Value, k []byte) (bool, error) {
	first, next, again := make([]byte, len(k)), make([]byte, len(k)), make([]byte, len(k))
	if err := m.raw.NextKey(nil, first); errors.Is(err, unix.ENOENT) {
		return false, nil // it is empty
	} else if err != nil {
		return false, m.explain(op, key, err)
	}
	for {
		err := m.raw.NextKey(k, next)
		if errors.Is(err, unix.ENOENT) { // the last one, or the trie was emptied meanwhile
			err := m.raw.NextKey(nil, again)
			if errors.Is(err, unix.ENOENT) {
				return false, nil
			}
			return err == nil, m.explain(op, key, err)
		}
		if err != nil {
			return false, m.explain(op, key, err)
		}
		if err := m.raw.NextKey(nil, again); errors.Is(err, unix.ENOENT) {
			return false, nil
		} else if err != nil {
			return false, m.explain(op, key, err)
		}
		if bytes.Equal(first, again) { // nothing came before the first meanwhile
			return !bytes.Equal(next, first), nil
		}
		first, again = again, first
	}
}

func (m *Map) update(op string, key, value starlark.Value, flags uint64) error {
	defer m.giveBack()
	k, err := m.encodeKey(op, key)
	if err != nil {
		return err
	}
	v, err := m.encodeValue(op, value)
	if err != nil {
		return err
	}
	if err := m.raw.Update(k, v, flags); err != nil {
		return m.failFlags(op, key, flags, err)
	}
	return nil
}

// lookup returns nil where there is no entry.
func (m *Map) lookup(op string, key starlark.Value, flags uint64) (starlark.Value, error) {
	defer m.giveBack()
	k, err := m.encodeKey(op, key)
	if err != nil {
		return nil, err
	}
	switch err := m.raw.Lookup(k, m.valueBuf, flags); {
	case err == nil:
		return m.decodeValue(m.valueBuf), nil
	case errors.Is(err, unix.ENOENT):
		return nil, nil
	default:
		return nil, m.failFlags(op, key, flags, err)
	}
}

// noKey is the error for a key that was given to pop of a queue.
func (m *Map) noKey(c method.Call) error {
	return c.Bad("key", c.Args[0], "no key: "+article(m.kind.Name)+" has none; "+c.Name+"() takes the next value")
}

func (m *Map) pop(c method.Call) (starlark.Value, error) {
	defer m.giveBack()
	var k []byte
	key := c.Args[0]
	switch {
	case m.key == nil && m.kind.Shape != engine.Ordered:
		return nil, m.fail(c.Name, nil, errNotForType)
	case m.key == nil && key != nil:
		return nil, m.noKey(c)
	case m.key != nil && key == nil:
		return nil, m.fail(c.Name, nil, errors.New("missing argument key"))
	case m.key != nil:
		var err error
		if k, err = m.encodeKey(c.Name, key); err != nil {
			return nil, err
		}
	}
	err := m.raw.LookupAndDelete(k, m.valueBuf, 0)
	if c.Args[1] != nil && errors.Is(err, unix.ENOENT) {
		return c.Args[1], nil
	}
	if err != nil {
		return nil, m.explain(c.Name, key, err)
	}
	return m.value.Decode(m.valueBuf), nil
}
