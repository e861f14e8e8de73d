//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import "math"

// StackLeft returns how many bytes the caller, a body, may still use of its
// region, growth included and reserve excluded. Where the runtime grows the stack
// it returns math.MaxInt.
func StackLeft() int {
	p := regionCoro()
	if p == 0 {
		return math.MaxInt
	}
	r := coroAt(p).Region()
	end := r.Lo
	if r.First != 0 {
		end = r.Limit
	}
	return int(callerSP()) - int(end+stackGuard)
}
