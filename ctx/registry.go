package ctx

import (
	"sync"
	"sync/atomic"
	"time"
)

// registry has every identity that may run a task, so that dumps find the
// tasks. Identities are made rarely and serve many tasks: neither a spawn nor a
// switch touches it.
var registry identityList

type identityList struct {
	mu     sync.Mutex
	chunks []*[chunk]*identity // all full, but for the last ones
	n      int
}

const chunk = 64

func (l *identityList) add(id *identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == len(l.chunks)*chunk {
		l.chunks = append(l.chunks, new([chunk]*identity))
	}
	*l.place(l.n) = id
	l.n++
	id.at = uint32(l.n)
}

// remove takes id out, if it is in. The last one takes its place.
func (l *identityList) remove(id *identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id.at == 0 {
		return
	}
	l.n--
	last := *l.place(l.n)
	*l.place(l.n) = nil
	if last != id {
		*l.place(int(id.at - 1)) = last
		last.at = id.at
	}
	id.at = 0
	if end := len(l.chunks) - 1; l.n <= (end-1)*chunk { // one more is kept, or each add might make one
		l.chunks[end] = nil
		l.chunks = l.chunks[:end]
	}
}

func (l *identityList) place(i int) **identity { return &l.chunks[i/chunk][i%chunk] }

func (l *identityList) all() []*identity {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]*identity, 0, l.n)
	for i := range l.n {
		ids = append(ids, *l.place(i))
	}
	return ids
}

// watch is 0 until the first dump, and what costs a spawn time after it:
// watchSeen, watchAge, and watchPin times the number of dumps that are reading.
var watch atomic.Uint32

const (
	watchSeen = 1 << iota // there was a dump: identity.born may be set
	watchAge              // see TrackAge
	watchPin
)

// pin keeps tasks that a dump reads from serving again (T2): what is written
// before setTask stays as it is until unpin. Whoever takes a task that was freed
// looks at watch after an atomic write that came after setTask(nil), to get
// storage: so either it sees the pin, or the dump does not see the task.
func pin() {
	watch.Or(watchSeen)
	watch.Add(watchPin)
}

func unpin() { watch.Add(^uint32(watchPin - 1)) }

// spare returns the identity's last task, unless that is pinned.
func (id *identity) spare() *Task {
	if watch.Load() != 0 && id.noteStart() {
		return nil
	}
	return id.last
}

// noteStart is called for each new task while watch is not 0. It reports whether
// tasks are pinned.
func (id *identity) noteStart() (pinned bool) {
	w := watch.Load()
	born := int64(0)
	if w&watchAge != 0 {
		born = sinceStart() << 1
	}
	id.born.Store(born)
	return w >= watchPin
}

// age returns how long the task has been there; at least so long, unless exact.
func (id *identity) age() (age time.Duration, exact bool) {
	now := sinceStart()
	id.born.CompareAndSwap(0, now<<1|1)
	born := id.born.Load()
	return time.Duration(max(0, now-born>>1)), born&1 == 0
}

var epoch = sync.OnceValue(time.Now)

// sinceStart is a clock that goes on evenly, in nanoseconds; never 0.
func sinceStart() int64 { return int64(time.Since(epoch())) + 1 }

// TrackAge has every task that starts from now on note when (true), at the cost
// of reading a clock, or not any more (false). Without it a dump knows only when
// an earlier dump saw the task first.
func TrackAge(on bool) {
	if on {
		watch.Or(watchAge)
		return
	}
	watch.Or(watchSeen) // what was noted is to be forgotten
	watch.And(^uint32(watchAge))
}
