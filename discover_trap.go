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
	memmove, memmoveLen          uintptr // code
	stackfree, casgstatus, throw uintptr // code
	gogo                         uintptr // code, with arguments on the stack
	newLoSlot, newHiSlot         uintptr // from copystack's SP
	maxStackScanDelta            uintptr // in p
}

// find follows the calls from morestack, the one of these functions that assembly can
// name. A profile (-pgo) or more inlining (-gcflags=all=-l=4) takes calls away:
// copystack may be a part of newstack then, and the others are found by their names.
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
	mod, err := moduleOf(c.pc)
	if err != nil {
		return err
	}
	all, err := modules(&mod)
	if err != nil {
		return err
	}
	copies := 0
	for i := range all {
		if len(all) == 1 || all[i].function(all[i].entry(0), newstack) != 0 {
			copies++
		}
	}
	if copies != 1 {
		return &discoveryError{"modules of the process", "no plugin, which would have code of the runtime of its own",
			fmt.Sprintf("%d modules with a runtime", copies)}
	}
	if err := t.findP(&mod, c.pc); err != nil {
		return err
	}
	// Assembly, which is never inlined.
	if t.gogo, _, err = c.callTo("runtime.gogo"); err != nil {
		return err
	}

	copying := c
	if pc, _, err := c.callTo("runtime.copystack"); err == nil {
		copying = machineCode(pc)
	}
	if t.memmove, err = copying.onlyCallTo("runtime.memmove"); err != nil {
		return err
	}
	t.memmoveLen = uintptr(len(machineCode(t.memmove).text))
	if t.newLoSlot, t.newHiSlot, err = copying.newStackSlots(); err != nil {
		return err
	}

	for _, f := range []struct {
		name string
		pc   *uintptr
		in   code
	}{
		{"runtime.casgstatus", &t.casgstatus, c},
		{"runtime.stackfree", &t.stackfree, copying},
		{"runtime.throw", &t.throw, copying},
	} {
		if *f.pc, _, err = f.in.callTo(f.name); err == nil {
			continue
		}
		if *f.pc = mod.function(c.pc, f.name); *f.pc == 0 {
			return err // inlined into each of its callers: the linker has left it out
		}
	}
	return findSymbols(c.pc)
}

// newStackSlots returns where in its frame c, copystack or what it was inlined into,
// keeps both ends of the stack that it allocates: it stores the results of stackalloc
// there or, where that is inlined, loads them from there to store them in g.stack.
func (c code) newStackSlots() (lo, hi uintptr, err error) {
	if _, err := c.onlyCallTo("runtime.stackalloc"); err == nil {
		_, ret, _ := c.callTo("runtime.stackalloc")
		return c.resultSlots(ret)
	}
	_, ret, err := c.callTo("runtime.memmove")
	if err != nil {
		return 0, 0, err
	}
	return c.stackSlots(ret)
}

// onlyCallTo is callTo for a function that is called in one place.
func (c code) onlyCallTo(name string) (target uintptr, err error) {
	calls, err := c.calls()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, call := range calls {
		if c.name(call.target) == name {
			target = call.target
			n++
		}
	}
	if n != 1 {
		return 0, &discoveryError{"machine code of " + runtime.FuncForPC(c.pc).Name(), "one call of " + name, fmt.Sprint(n)}
	}
	return target, nil
}

// findP finds maxStackScanDelta in the type of p, which has another place for it with
// each GOEXPERIMENT. inRuntime is a function of the runtime.
func (t *trapFacts) findP(mod *module, inRuntime uintptr) error {
	const (
		allocates = "runtime.procresize"
		field     = "maxStackScanDelta"
	)
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
