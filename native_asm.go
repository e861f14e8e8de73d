//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

// What the assembly knows of the frame of nativeBase: the distance of its stack
// pointer from g.stktopsp in bytes, and where it calls mainLoop. Written by the
// first body on a stack of the runtime; every later one would write the same.
var (
	//lint:ignore U1000 the assembly's
	nativeDepth uintptr
	//lint:ignore U1000 likewise
	nativeAgain uintptr = 1 // no code: until then nothing is taken for the frame
	//lint:ignore U1000 likewise
	corostartPC uintptr // runtime.corostart
)

func nativeBase(c *Coro)
func leaveNative()
func currentCoro() uintptr

// Current returns the coroutine of the body that the calling goroutine runs, or nil.
func Current() *Coro {
	if p := currentCoro(); p != 0 {
		return coroAt(p)
	}
	if portably {
		return portableCurrent()
	}
	return nil
}

// NativeBytes returns the size of the stack of the runtime that c, which must be
// parked, has, or 0 if it is on a Region. The collector may make the stack
// smaller at any time.
func (c *Coro) NativeBytes() int {
	if c.port() != nil || c.edge != 0 || c.g == notEnterable {
		return 0
	}
	// SAFETY(K1): a g is never freed. The two words are not read at the same moment: a
	// size that no stack can have comes from one word of a stack and one of its copy.
	n := peek64(c.g+gStackHi) - peek64(c.g+gStackLo)
	if n&(n-1) != 0 || n > 1<<30 {
		n = typicalNative
	}
	return int(n)
}

// typicalNative is the size of a stack that few frames were on.
const typicalNative = 8 << 10
