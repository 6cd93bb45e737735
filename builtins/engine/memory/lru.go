package memory

// recency orders the entries of an LRU map by their last use: writing from user space, and reading or writing by a
// program. Reading from user space is no use. A nil order keeps nothing.
type recency struct{ newest, oldest *entry }

func newLRU(o *object) table {
	t := newHash(o).(*hash)
	t.recent = &recency{}
	return t
}

func (r *recency) add(e *entry) {
	if r == nil {
		return
	}
	e.older, e.newer = r.newest, nil
	if r.newest != nil {
		r.newest.newer = e
	} else {
		r.oldest = e
	}
	r.newest = e
}

func (r *recency) remove(e *entry) {
	if r == nil {
		return
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		r.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		r.oldest = e.newer
	}
}

func (r *recency) touch(e *entry) {
	r.remove(e)
	r.add(e)
}
