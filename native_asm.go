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

// Current returns the coroutine whose body the calling goroutine runs, or nil.
func Current() *Coro {
	if p := currentCoro(); p != 0 {
		return coroAt(p)
	}
	if portably {
		return portableCurrent()
	}
	return nil
}
