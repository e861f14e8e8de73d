package mmapstack

import "sync/atomic"

// An Option changes how New or Static make a stack.
type Option func(*options)

type options struct {
	guard    int
	guardSet bool
	grow     growth
}

// WithGuard asks for a guard of at least n bytes, in whole pages. A mapped
// stack has one anyway, of one page. Static memory gets one only
// by this option: the guard is then the lowest whole pages of the memory.
func WithGuard(n int) Option {
	return func(o *options) { o.guard, o.guardSet = n, true }
}

var ownColour atomic.Uint32

// New maps a stack of at least size usable bytes, 0 for DefaultSize, for the
// caller alone. It stays mapped until Close.
//
// Errors: *SizeError, *MapError, ErrUnsupported.
func New(size int, opts ...Option) (*Stack, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	lay, err := newLayout(size, o.guard, o.grow)
	if err != nil {
		return nil, err
	}
	sl, err := newSlab(lay, 1, probedGuard(), int(ownColour.Add(1)%Colours))
	if err != nil {
		return nil, err
	}
	s, err := sl.cutStack(1)
	if err != nil {
		_ = sl.unmap() // the first error is the one to tell
		return nil, err
	}
	s.kind, s.state = Own, stateOut
	if watch := watching.Load(); watch != 0 {
		taken(s, watch)
	}
	return s, nil
}
