package mmapstack

// WithClear makes Put zero everything that the last user of a stack has left: from the
// lowest byte written up to the live part of the attached value. The next task on the
// stack finds nothing of it, by whatever means. The cost is that of WithHighWater, a
// system call (two for large stacks) and the reading of a page, and the zeroing of the
// bytes used.
//
// The bytes that an idle coroutine needs stay. So do copies elsewhere, also on a stack
// of another pool (guard.Grow). For secrets that must be gone sooner there is
// runtime/secret (Go 1.26, GOEXPERIMENT=runtimesecret).
func WithClear() PoolOption { return func(p *Pool) { p.clear = true } }

// A Lodger is an attached value that knows the lowest address that it needs of its
// idle stack. Any other attached value may need all of the topmost IdleLive bytes.
type Lodger interface{ LivesFrom() uintptr }

// wipe zeroes what nothing on s needs any more.
func (s *Stack) wipe() {
	mem := s.memory()
	if mem == nil {
		return
	}
	live := s.top
	if s.attached != nil {
		live -= IdleLive
		if l, ok := s.attached.(Lodger); ok {
			if at := l.LivesFrom(); at > s.lo() && at <= s.top {
				live = at
			}
		}
	}
	mem = mem[:max(0, int(live-s.lo()))]
	clear(mem[lowestUsed(mem):])
}
