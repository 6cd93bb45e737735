package builtins

import (
	"context"
	"fmt"

	"bpfsh/builtins/engine"
	"bpfsh/runtime"
	"bpfsh/runtime/method"
	"bpfsh/runtime/render"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
	"golang.org/x/sys/unix"
)

var (
	_ starlark.HasAttrs   = (*Snapshot)(nil)
	_ starlark.Mapping    = (*Snapshot)(nil)
	_ starlark.Container  = (*Snapshot)(nil)
	_ starlark.Sequence   = (*Snapshot)(nil)
	_ starlark.Comparable = (*Snapshot)(nil)
	_ render.Tabler       = (*Snapshot)(nil)
	_ render.Rower        = (*Snapshot)(nil)
)

func (s *Snapshot) Type() string          { return "snapshot" }
func (s *Snapshot) Freeze()               {} // it never changes
func (s *Snapshot) Truth() starlark.Bool  { return s.m.held.N > 0 }
func (s *Snapshot) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: snapshot") }
func (s *Snapshot) Len() int              { return s.m.held.N }
func (s *Snapshot) AttrNames() []string   { return snapshotTable.Names() }

func (s *Snapshot) Attr(name string) (starlark.Value, error) { return snapshotTable.Attr(s, name) }

// Iterate is `for key in s`, as of a map.
func (s *Snapshot) Iterate() starlark.Iterator { return (&entries{s.m, "keys"}).Iterate() }

// Get is s[key].
func (s *Snapshot) Get(key starlark.Value) (starlark.Value, bool, error) {
	v, found, err := s.find("lookup", key)
	if err == nil && !found {
		err = newError(Error{Op: "lookup", Where: "snapshot of " + s.m.label(), Key: key, Count: -1, Err: unix.ENOENT, lib: s.m.lib})
	}
	return v, found, err
}

// Has is key in s.
func (s *Snapshot) Has(key starlark.Value) (bool, error) {
	_, found, err := s.find("in", key)
	return found, err
}

// CompareSameType finds snapshots equal that have the same types and entries, whenever they were taken, and of
// whatever map.
func (s *Snapshot) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	if op != syntax.EQL && op != syntax.NEQ {
		return false, fmt.Errorf("snapshots have no order")
	}
	ctx, other := runtime.Context(s.m.thread), y.(*Snapshot)
	equal := s.m.held.N == other.m.held.N && sameTypes(s.m, other.m)
	if equal {
		c, err := engine.Compare(s.m.held, other.m.held, nil, stopped(ctx))
		if err != nil {
			return false, err
		}
		equal = c.Same == s.m.held.N
	}
	return equal == (op == syntax.EQL), nil
}

// stopped is the reason why the run was stopped, when it was.
func stopped(ctx context.Context) func() error {
	return func() error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
}

// Entries are what the snapshot says about itself, for a list of it.
func (s *Snapshot) Entries() []method.Entry {
	return append(method.Entries("method", snapshotMethods), method.AttrEntries(snapshotAttrs)...)
}

// Complete gives some keys, as Map.Complete does.
func (s *Snapshot) Complete(kind, prefix string) []string { return s.m.Complete(kind, prefix) }

// Table is the first entries.
func (s *Snapshot) Table(limit int) (*render.Table, error) {
	t, err := s.m.Table(limit)
	if err == nil {
		t.Title = s.String()
	}
	return t, err
}

// Rows are the entries.
func (s *Snapshot) Rows() (render.Rows, error) { return newRows(&entries{s.m, "items"}), nil }

// MarshalJSON is json.encode(s): a list of {"key": ..., "value": ...}.
func (s *Snapshot) MarshalJSON() ([]byte, error) { return render.JSON(s) }

// sameTypes says whether entries of one map can be taken for entries of the other as they are.
func sameTypes(from, to *Map) bool {
	return from.key.String() == to.key.String() && from.value.String() == to.value.String() && from.value.CPUs == to.value.CPUs
}
