package leaf

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A node is one call that waits.
type node[V any] struct {
	q          *queue[V]
	owner      owner[V]
	prev, next *node[V]

	task  *ctx.Task     // that waits, where somebody wants to know
	h     resume.Handle // of a task that has parked
	ch    chan struct{} // a plain goroutine blocks on it
	spare chan struct{} // to be used again as ch

	value V     // what it waits with, then what it got
	err   error // what the call returns
	turn  uint64
	seen  uint32 // the guard's count when there was nothing for it
	lane  lane
	state state
	after *Mutex // to be unlocked once the node is in the queue
}

// A lane is one of the two lines that an owner may have.
type lane uint8

// Where a node is.
type state uint8

const (
	idle    state = iota // nobody but its call knows it
	queued               // in its lane
	granted              // has what it waits for, and is to be resumed
	woken                // likewise, and somebody is resuming it, or has
	strand               // likewise, but could not be resumed from where that was tried
	revoked              // lost its place, because its task is being cancelled
)

// A list is a line of nodes, first come first.
type list[V any] struct{ head, tail *node[V] }

func (l *list[V]) push(n *node[V]) {
	n.prev, n.next = l.tail, nil
	if l.tail == nil {
		l.head = n
	} else {
		l.tail.next = n
	}
	l.tail = n
}

func (l *list[V]) remove(n *node[V]) {
	if n.prev == nil {
		l.head = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.tail = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next = nil, nil
}

func (l *list[V]) pop() *node[V] {
	n := l.head
	if n != nil {
		l.remove(n)
	}
	return n
}

func (l *list[V]) empty() bool { return l.head == nil }
