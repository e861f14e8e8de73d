//go:build linux

package ctx

import "sort"

// A tracer follows references through a heap, from its roots. An identity leads
// nowhere: pools hold idle ones and busy ones alike, and its task is what the
// question is about. A suspended task's goroutine and stack lead on only when
// the task is reached.
type tracer struct {
	*heap
	marked []bool // of objects
	todo   []int  // marked, and not followed yet

	leaf   map[int]bool       // identities, and goroutines of suspended tasks
	stacks map[int]*coroutine // of suspended tasks, by the task's object
}

// A suspect is a task that may have leaked: a suspended one.
type suspect struct{ identity, task uint64 }

// unreached returns which suspects nothing leads to. all are the addresses of
// all identities, of which those that have no suspect either run a task, whose
// stack is a root, or are idle.
func (h *heap) unreached(all []uint64, idle map[uint64]bool, suspects []suspect) (leaked []suspect) {
	t := &tracer{heap: h, marked: make([]bool, len(h.objects)), leaf: map[int]bool{}, stacks: map[int]*coroutine{}}
	for _, id := range all {
		t.leaf[t.find(id)] = true
	}
	of := map[uint64]*coroutine{}
	for i := range h.coros {
		of[h.coros[i].identity] = &h.coros[i]
	}
	for _, s := range suspects {
		if c := of[s.identity]; c != nil {
			t.leaf[t.find(c.g)] = true
			t.stacks[t.find(s.task)] = c
			delete(of, s.identity)
		}
	}
	for id, c := range of {
		if !idle[id] {
			t.reach(c.refs)
		}
	}
	t.reach(h.roots)
	t.follow()
	for _, s := range suspects {
		if i := t.find(s.task); i >= 0 && !t.marked[i] {
			leaked = append(leaked, s)
		}
	}
	return leaked
}

// find returns the index of the object that holds addr, or -1.
func (t *tracer) find(addr uint64) int {
	i := sort.Search(len(t.objects), func(i int) bool { return t.objects[i].addr > addr }) - 1
	if i < 0 || addr-t.objects[i].addr >= t.objects[i].size {
		return -1
	}
	return i
}

func (t *tracer) reach(refs []uint64) {
	for _, v := range refs {
		if i := t.find(v); i >= 0 && !t.marked[i] {
			t.marked[i] = true
			t.todo = append(t.todo, i)
		}
	}
}

func (t *tracer) follow() {
	for n := len(t.todo); n != 0; n = len(t.todo) {
		i := t.todo[n-1]
		t.todo = t.todo[:n-1]
		if t.leaf[i] {
			continue
		}
		t.lead(i)
		if c := t.stacks[i]; c != nil {
			t.reach(c.refs)
			if g := t.find(c.g); g >= 0 {
				t.lead(g)
			}
		}
	}
}

// lead marks what object i refers to.
func (t *tracer) lead(i int) { t.reach(t.refs[t.objects[i].first:t.objects[i].last]) }
