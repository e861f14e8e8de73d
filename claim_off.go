//go:build !stackhopcheck

package stackhop

// checked: the program is built with -tags stackhopcheck, and each switch is claimed,
// see claim.go.
const checked = false

func (c *Coro) mustSwitch()                      { panic("BUG: a claim in a build without checks") }
func (c *Coro) claimed(func() error) error       { panic("BUG: a claim in a build without checks") }
func (c *Coro) passed(*Coro, func() error) error { panic("BUG: a claim in a build without checks") }
