package main

import (
	"time"

	"github.com/stackhop/stackhop/resume"
)

// An event resumes a process at a time. Of two at the same time, the one that
// was noted first comes first: so a run can be repeated.
type event struct {
	at      time.Duration
	serial  int
	process resume.Handle
}

// An agenda is a heap of events, the next one on top.
type agenda []event

func (a agenda) Len() int { return len(a) }

func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].serial < a[j].serial
}

func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

func (a *agenda) Push(e any) { *a = append(*a, e.(event)) }

func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	*a = (*a)[:last]
	return e
}
