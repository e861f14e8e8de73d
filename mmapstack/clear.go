package mmapstack

// WithClear has Put zero what the last user of the stack has left: everything
// from the lowest byte that was written up to what is attached to the stack and
// lives. The next task on the stack finds nothing of it, by whatever means. It
// costs what WithHighWater does: a system call, or two for large stacks, the reading
// of a page, and the zeroing of what was used.
//
// What a coroutine needs while it is idle stays; so does what was copied elsewhere,
// or onto a stack that is not the pool's (guard.Grow). For secrets that must be
// gone sooner there is runtime/secret (Go 1.26, GOEXPERIMENT=runtimesecret).
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
