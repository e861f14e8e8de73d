package pull

// tailReturns: leave and leaveTrue do what they are for.
const tailReturns = true

// leaveTrue returns true from the function that calls it.
func leaveTrue()

// leave returns the values that follow p, and true, from the function that
// calls it, or does nothing if their shape is shapePlain.
//
//go:noescape
func leave(p *core)
