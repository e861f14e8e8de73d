package leaf

import (
	"runtime"
	"sync/atomic"

	"github.com/stackhop/stackhop/internal/release"
)

// A guard is the lock within a primitive. It is held for a few instructions,
// never while a task is resumed.
type guard struct{ word uint32 } // 1 while held

// Lock is inlined.
func (g *guard) Lock() {
	if !atomic.CompareAndSwapUint32(&g.word, 0, 1) {
		g.contend()
	}
}

// Unlock is inlined.
func (g *guard) Unlock() { release.Store32(&g.word, 0) }

// spins is how often contend looks before it lets others run: the one who
// holds the lock may have been preempted.
const spins = 64

//go:noinline
func (g *guard) contend() {
	for i := 1; ; i++ {
		if atomic.LoadUint32(&g.word) == 0 && atomic.CompareAndSwapUint32(&g.word, 0, 1) {
			return
		}
		if i%spins == 0 {
			runtime.Gosched()
		}
	}
}
