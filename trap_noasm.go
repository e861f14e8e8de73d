//go:build !(linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28)

package stackhop

// EnableGrowth returns a *GrowthError: stacks of the portable backend are the
// runtime's, which grows them itself.
func EnableGrowth(func(Overflow) error) error {
	return &GrowthError{"the portable backend uses stacks of the runtime"}
}

// DisableGrowth does nothing here.
func DisableGrowth() error { return nil }

// GrowthEnabled reports false here.
func GrowthEnabled() bool { return false }

// Growth returns zeros here.
func Growth() GrowthCounts { return GrowthCounts{} }

// Rearm does nothing here.
func (c *Coro) Rearm() {}

// Shrink does nothing here.
func (c *Coro) Shrink() {}

func growthReady() bool { return true } // no region is used

func isCgo() bool { return false }
