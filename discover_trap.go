//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"reflect"
	"runtime"
)

func morestackPC() uintptr

// trapFacts is what the growth trap needs to know of the runtime (K2).
type trapFacts struct {
	memmove, memmoveLen                     uintptr // code
	copystack, stackfree, casgstatus, throw uintptr // code
	gogo                                    uintptr // code, with arguments on the stack
	newLoSlot, newHiSlot                    uintptr // from copystack's SP
	maxStackScanDelta                       uintptr // in p
}

// find follows the calls from morestack, the one of these functions that
// assembly can name.
func (t *trapFacts) find() error {
	const newstack = "runtime.newstack"
	c := machineCode(morestackPC())
	if err := nameIs("what assembly calls runtime·morestack", c.pc, "runtime.morestack"); err != nil {
		return err
	}
	// Assembly calls a wrapper of the same name, which calls or jumps to the function.
	for range 2 {
		pc, _, err := c.callTo(newstack)
		if err != nil {
			return err
		}
		c = machineCode(pc)
	}
	if err := t.findP(c.pc); err != nil {
		return err
	}
	var err error
	if t.copystack, _, err = c.callTo("runtime.copystack"); err != nil {
		return err
	}
	if t.casgstatus, _, err = c.callTo("runtime.casgstatus"); err != nil {
		return err
	}
	if t.gogo, _, err = c.callTo("runtime.gogo"); err != nil {
		return err
	}

	c = machineCode(t.copystack)
	if t.memmove, _, err = c.callTo("runtime.memmove"); err != nil {
		return err
	}
	if t.stackfree, _, err = c.callTo("runtime.stackfree"); err != nil {
		return err
	}
	if t.throw, _, err = c.callTo("runtime.throw"); err != nil {
		return err
	}
	_, ret, err := c.callTo("runtime.stackalloc")
	if err != nil {
		return err
	}
	if t.newLoSlot, t.newHiSlot, err = c.resultSlots(ret); err != nil {
		return err
	}
	t.memmoveLen = uintptr(len(machineCode(t.memmove).text))
	return nil
}

// findP finds maxStackScanDelta in the type of p, which has another place for it with
// each GOEXPERIMENT. inRuntime is a function of the runtime.
func (t *trapFacts) findP(inRuntime uintptr) error {
	const (
		allocates = "runtime.procresize"
		field     = "maxStackScanDelta"
	)
	mod, err := moduleOf(inRuntime)
	if err != nil {
		return err
	}
	entry := mod.function(inRuntime, allocates)
	if entry == 0 {
		return &discoveryError{"functions of the runtime", allocates, fmt.Sprintf("%d others", mod.ftabLen)}
	}
	p, err := mod.structType(machineCode(entry), "runtime.p")
	if err != nil {
		return err
	}
	f, ok := p.FieldByName(field)
	if !ok || f.Type.Kind() != reflect.Int64 {
		return &discoveryError{"type runtime.p in this program", "an int64 " + field, f.Name}
	}
	t.maxStackScanDelta = f.Offset
	return nil
}

// callTo returns the target of the first direct call or jump to the function that
// is called name, and where a call returns to.
func (c code) callTo(name string) (target, ret uintptr, err error) {
	calls, err := c.calls()
	if err != nil {
		return 0, 0, err
	}
	for _, call := range calls {
		if c.name(call.target) == name {
			return call.target, call.ret, nil
		}
	}
	return 0, 0, &discoveryError{"machine code of " + runtime.FuncForPC(c.pc).Name(), "a call of " + name,
		fmt.Sprintf("%d calls of others", len(calls))}
}

// A call is a direct call instruction, or a jump to another function.
type call struct{ target, ret uintptr }
