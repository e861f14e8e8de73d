//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// facts is what the kernel needs to know of the running program's runtime. Each
// address in it has passed its self-check (K2).
type facts struct {
	newcoro, coroswitch         uintptr // code
	corostart                   uintptr // code: where each coroutine's goroutine begins
	saveG                       uintptr // code, arm64 only: assembly can't name it from Go 1.27 on
	traceEnabled, profileActive uintptr // a byte each, 1 while somebody looks
	stackGuard                  uintptr // stackguard0 - stack.lo, bytes
	cgocheck2                   bool    // the program has this experiment's checks
	facts                       []Fact  // the same, to be shown
}

// A discoveryError names the first thing about the runtime that is not as the
// kernel knows it.
type discoveryError struct{ Step, Want, Got string }

func (e *discoveryError) Error() string {
	return fmt.Sprintf("stackhop: the runtime is not as expected: %s: want %s, got %s", e.Step, e.Want, e.Got)
}

// discover looks into the running program for what facts has. It parks a
// coroutine of iter.Pull and reads the runtime's functions off it. On any
// surprise it returns an error, and no facts.
func discover() (facts, error) {
	var f facts
	err := guarded(func() error { return f.find() })
	if err != nil {
		return facts{}, err
	}
	return f, nil
}

// guarded calls step and makes an error of any panic of it, a memory fault
// included: the machine code that it follows may be any, and x86asm panics on
// some.
func guarded(step func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &discoveryError{"looking into it", "no panic", fmt.Sprint(p)}
		}
	}()
	return step()
}

func (f *facts) find() error {
	if err := layoutFor(runtime.Version()); err != nil {
		return err
	}
	var s self
	readSelf(&s)
	if err := s.check(currentGoid()); err != nil {
		return err
	}
	f.stackGuard = s.g0Guard - s.g0Lo

	var coroutine uintptr
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		coroutine = getg()
		yield(struct{}{})
	})
	defer stop()
	next()
	p, err := readParked(coroutine)
	if err != nil {
		return err
	}
	if err := p.check(s.bubble); err != nil {
		return err
	}
	if err := f.findCode(p); err != nil {
		return err
	}
	if err := f.findTypes(); err != nil {
		return err
	}

	f.add("runtime.stackGuard", f.stackGuard, "g0.stackguard0 - g0.stack.lo of the current thread")
	return nil
}

// findCode finds functions and flags, from what the parked coroutine p says.
func (f *facts) findCode(p parked) error {
	const (
		coroswitch  = "runtime.coroswitch"
		coroswitchM = "runtime.coroswitch_m"
		newcoro     = "runtime.newcoro"
		corostart   = "runtime.corostart"
	)
	if fn := runtime.FuncForPC(p.pc); fn != nil {
		f.coroswitch = fn.Entry()
	}
	if err := nameIs("sched.pc of a coroutine parked in iter.Pull", f.coroswitch, coroswitch); err != nil {
		return err
	}
	f.add(coroswitch, f.coroswitch, "the function that sched.pc of a coroutine parked in iter.Pull is in")

	var ok bool
	if f.newcoro, ok = callBefore(p.gopc); !ok {
		return &discoveryError{"gopc of that coroutine", "a call right before it",
			fmt.Sprintf("% x", peekText(p.gopc-8, 8))}
	}
	if err := nameIs("call before gopc of that coroutine", f.newcoro, newcoro); err != nil {
		return err
	}
	f.add(newcoro, f.newcoro, "target of the call before gopc of that coroutine")

	if err := nameIs("startpc of that coroutine", p.start, corostart); err != nil {
		return err
	}
	f.corostart = p.start
	f.add(corostart, f.corostart, "startpc of that coroutine")

	fv, mcall, err := machineCode(f.coroswitch).mcallArg()
	if err != nil {
		return err
	}
	if err := f.findSaveG(mcall); err != nil {
		return err
	}
	m := peek64(fv)
	if err := nameIs("function that coroswitch gives to mcall", m, coroswitchM); err != nil {
		return err
	}
	f.add(coroswitchM, m, "function value that coroswitch gives to mcall")

	err = f.findFlags(machineCode(m), nil)
	if err == nil {
		return nil
	}
	// With a profile, functions that test flags of their own are inlined into it.
	mod, modErr := moduleOf(f.newcoro)
	if modErr != nil {
		return err
	}
	inlined := map[uintptr]bool{}
	for _, name := range []string{"runtime.casgstatus", "runtime.gdestroy"} {
		if pc := mod.function(f.newcoro, name); pc != 0 {
			machineCode(pc).globalBytes(inlined)
		}
	}
	f.traceEnabled, f.profileActive = 0, 0
	return f.findFlags(machineCode(m), inlined)
}

// findFlags finds the flags that c, coroswitch_m, tests: all but those at except.
func (f *facts) findFlags(c code, except map[uintptr]bool) error {
	flags, err := c.flags(except)
	if err != nil {
		return err
	}
	return f.setFlags(flags)
}

// findTypes holds the layout file against the types of g, m, sudog and coro in this
// program.
func (f *facts) findTypes() error {
	mod, err := moduleOf(f.newcoro)
	if err != nil {
		return err
	}
	types, err := coroTypes(&mod, f.newcoro)
	if err != nil {
		return err
	}
	if err := checkLayout(layoutFields[:], types); err != nil {
		return err
	}

	// The version may be anything: the linker's -X sets it. The check itself can't be
	// hidden: nothing calls it, and the linker leaves it out, in any other program.
	f.cgocheck2 = slices.Contains(experiments(runtime.Version()), cgocheck2)
	mod.near(f.newcoro, func(name string, _ uintptr) bool {
		f.cgocheck2 = f.cgocheck2 || name == "runtime.cgoCheckPtrWrite"
		return !f.cgocheck2
	})
	return nil
}

// The calls in coroswitch_m that tell the flags apart.
const (
	traceGuarded   = "runtime.traceAcquireEnabled"
	profileGuarded = "runtime.tryRecordGoroutineProfile"
)

// A flag is a global byte that a function tests against 0, and the first
// function that it calls if the byte is not 0.
type flag struct {
	addr  uintptr
	calls string
}

// setFlags takes the two flags of coroswitch_m. Two are all that may be there:
// a third would be a reason for the runtime to take care that the kernel does
// not know of. In a program built with a profile the call behind one of the flags may
// be inlined. Then the call behind the other flag tells which flag is which.
func (f *facts) setFlags(flags []flag) error {
	const step = "flags that coroswitch_m tests"
	want := "calls of " + traceGuarded + " and " + profileGuarded + " behind them"
	for _, fl := range flags {
		p := &f.traceEnabled
		switch fl.calls {
		case traceGuarded:
		case profileGuarded:
			p = &f.profileActive
		default:
			continue
		}
		if *p != 0 && *p != fl.addr {
			return &discoveryError{step, "one for " + fl.calls, fmt.Sprintf("%#x and %#x", *p, fl.addr)}
		}
		*p = fl.addr
	}
	for _, fl := range flags {
		switch {
		case fl.addr == f.traceEnabled || fl.addr == f.profileActive:
		case f.traceEnabled == 0 && f.profileActive != 0:
			f.traceEnabled = fl.addr
		case f.profileActive == 0 && f.traceEnabled != 0:
			f.profileActive = fl.addr
		default:
			return &discoveryError{step, want, fmt.Sprintf("a call of %q", fl.calls)}
		}
	}
	if f.traceEnabled == 0 || f.profileActive == 0 || f.traceEnabled == f.profileActive {
		return &discoveryError{step, "trace.enabled and goroutineProfile.active",
			fmt.Sprintf("%#x and %#x (built without inlining?)", f.traceEnabled, f.profileActive)}
	}
	for _, addr := range []uintptr{f.traceEnabled, f.profileActive} {
		if v := peek8(addr); v > 1 {
			return &discoveryError{step, "the value 0 or 1", fmt.Sprintf("%d at %#x", v, addr)}
		}
	}
	f.add("runtime.trace.enabled", f.traceEnabled, "byte that guards the call of "+traceGuarded+" in coroswitch_m")
	f.add("runtime.goroutineProfile.active", f.profileActive, "byte that guards the call of "+profileGuarded+" in coroswitch_m")
	return nil
}

func (f *facts) add(name string, addr uintptr, how string) {
	f.facts = append(f.facts, Fact{Name: name, Addr: addr, How: how})
}

// A code is the machine code of one function.
type code struct {
	pc   uintptr                 // of its first byte
	text []byte                  // up to the next function, padding included
	name func(pc uintptr) string // the name of the function that starts at pc
}

// machineCode reads the function that starts at entry.
func machineCode(entry uintptr) code {
	const (
		step  = 16 // functions start at multiples of 16 at least
		limit = 64 << 10
	)
	n := uintptr(step)
	for ; n < limit; n += step {
		if fn := runtime.FuncForPC(entry + n); fn == nil || fn.Entry() != entry {
			break
		}
	}
	return code{pc: entry, text: peekText(entry, int(n)), name: funcAt}
}

// funcAt returns the name of the function that starts at pc, "" if none does.
func funcAt(pc uintptr) string {
	fn := runtime.FuncForPC(pc)
	if fn == nil || fn.Entry() != pc {
		return ""
	}
	return fn.Name()
}

// nameIs checks that a function starts at pc and is called want.
func nameIs(step string, pc uintptr, want string) error {
	if got := funcAt(pc); got != want {
		return &discoveryError{step, want, fmt.Sprintf("%q at %#x", got, pc)}
	}
	return nil
}

// currentGoid returns the current goroutine's id, as a stack trace has it.
func currentGoid() (id uintptr) {
	var buf [64]byte
	text := string(buf[:runtime.Stack(buf[:], false)])
	if _, err := fmt.Sscanf(strings.TrimSpace(text), "goroutine %d ", &id); err != nil {
		return 0
	}
	return id
}
