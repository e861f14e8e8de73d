package leaf

import (
	"runtime"
	"sync/atomic"

	"github.com/stackhop/stackhop/internal/release"
)

// A guard is the lock within a primitive. It is held for a few instructions,
// never while a task is resumed. It counts, too: whoever finds the count that it
// left with knows that nobody has been there since.
type guard struct{ word uint32 } // odd while held

// Lock is inlined.
func (g *guard) Lock() {
	w := atomic.LoadUint32(&g.word) &^ 1
	if !atomic.CompareAndSwapUint32(&g.word, w, w+1) {
		g.contend()
	}
}

// Unlock is inlined.
func (g *guard) Unlock() { release.Store32(&g.word, atomic.LoadUint32(&g.word)+1) }

// count is how often the guard was taken. The caller holds it.
func (g *guard) count() uint32 { return atomic.LoadUint32(&g.word) }

// spins is how often contend looks before it lets others run: the one who
// holds the lock may have been preempted.
const spins = 64

//go:noinline
func (g *guard) contend() {
	for i := 1; ; i++ {
		w := atomic.LoadUint32(&g.word)
		if w&1 == 0 && atomic.CompareAndSwapUint32(&g.word, w, w+1) {
			return
		}
		if i%spins == 0 {
			runtime.Gosched()
		}
	}
}
