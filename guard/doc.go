// Package guard makes coroutine stacks that grow in place and survive an
// overflow: the call that does not fit panics with an [*OverflowError], deferred
// calls run, recover works, and a task that does not recover ends with that
// error instead of ending the process.
//
// Two policies, for each pool and each stack:
//
//	Strict   The stack is what its size says from the beginning. A call that does
//	         not fit ends the process: "fatal error: stack size not a power of 2",
//	         and the frames, the outermost of which is named
//	         coroutineBase_strictStack_overflowIsFatal. It needs nothing of the process.
//	Growing  The stack begins with a small window and makes it four times as wide in
//	         place when a call does not fit: no frame is copied, no pointer changed.
//	         At the end of its memory the call panics. It needs the growth trap: one SIGSEGV
//	         handler in front of the runtime's.
//
// Carved and static stacks are strict, whatever their parent is: mmapstack.Stack.Carve
// and mmapstack.Static say why.
//
// Both policies have a region without access below; to touch that, from assembly or by a
// wild write, ends the process in either. Where the trap is installed, a line on
// standard error says first whose stack it was:
//
//	stackhop: fault at 0x7f32a4d0fff8, in the guard of the stack 0x7f32a4d10000-0x7f32a4d20000 of task "reader"
//
// Otherwise there is the runtime's message with the address ("unexpected fault
// address"); or none, if it was the stack pointer itself that ran into the guard,
// since no handler has a stack to work on then.
//
// # The trap
//
// [Install] puts a handler in front of the process's SIGSEGV handler. It
// recognizes a fault of the runtime's own stack copy in the dead space of a
// stack that grows, by four facts: where the code was, which goroutine and thread,
// in which state, and the address. Any other fault goes to the handler that was
// there, with all registers: a nil dereference panics, a wild write crashes, and
// os/signal, debuggers and C libraries see what they saw before. A library that
// installs its handler later must call the one it found, as always. On arm64 the
// line about a guard is left out in programs with cgo, where the handler cannot
// tell Go code from C.
//
// # What an overflow costs and promises
//
//   - The panic begins at the call, in the caller's frame; the function called has
//     not run. What has to be undone in a function is undone by its deferred
//     calls, as with any panic; what it does not defer stays half done.
//   - In code of the runtime, and of packages such as sync, time, os and context, no panic
//     begins: the call that does not fit is made with a part of the reserve, which is
//     closed when it returns, also if it has waited for something. The next call of
//     other code that does not fit panics. So a recursion may sleep, lock, receive or
//     suspend at every level.
//   - No deferred call is lost: no panic begins in its place, whatever the form
//     of the defer statement. Only a recursion that consists of deferred calls can use
//     half of the reserve up; [Stats] counts as Forced what was lost then.
//   - The deferred calls and the error itself run in the reserve. One that needs
//     more of it, by panicking again at each of many levels or by a recursion
//     of its own that has no end, makes the overflow fatal: "coroutine stack overflow,
//     and its reserve is used up".
//   - Each overflow opens up to 16 KiB of the reserve, and a recovery does not close that.
//     The next switch of the coroutine does, and so does [Rearm]. A body that recovers
//     from one overflow after another, without any suspension in between, calls Rearm
//     after each recover, once the function whose deferred call has recovered
//     has returned. Code that runs before that may go on into what is open; if it is
//     still there when Rearm is called, its next call panics. A body that does not call
//     Rearm uses the reserve up after a few overflows, four if it is 64 KiB, and the one
//     after that is fatal.
//   - Package fmt recovers from a panic of an Error, String or Format method that it
//     calls, so also from an overflow there or in what it does with the result, and
//     prints "PANIC=" and the error instead. No error reaches the task then, and the reserve
//     stays open as after any other recovery: a program that formats such values
//     near the end of its stacks calls Rearm after it, or asks for a larger reserve by
//     mmapstack.WithGrowth.
//   - An overflow in a function that sync.Once, sync.OnceFunc, sync.OnceValue or
//     sync.OnceValues runs is remembered there, as any panic would be: a Once does not
//     run the function again, and the others panic with the same error in each later call,
//     of any goroutine. Packages that keep a panic do the same; encoding/json builds
//     its encoders in such a function, one for each type. Give tasks that call
//     such functions first enough room, have them called before, or leave
//     the tasks on the default stacks of package ctx, which grow as a goroutine's.
//   - Inside a call from C (a cgo callback on the task's own stack) nothing can move,
//     so that an overflow there is fatal. A task that was resumed within such a
//     call, of its resumer, is not concerned. For the same reason the first window is
//     the widest one in a program with cgo.
//   - debug.SetMaxStack below eight times a stack's size, or below 512 KiB, makes
//     its overflow the runtime's fatal error.
//
// # Hops
//
// [Grow] calls a function on an auxiliary stack if too little of the current one
// is left: so a recursion of any depth can run on a small stack of either policy.
// Unlike an overflow it is asked for in the code, costs a switch there and back,
// and needs no trap.
//
// # Which size
//
// [Watch] has all stacks measured, and [Report] prints what each place in the
// program has used of them and which size would do.
//
// # Invariants
//
//	G1  What the function given to Grow refers to may lie on its caller's stack.
//	    That is a region, which never moves, and the frame that owns it is parked
//	    and scanned until the function has ended; nothing keeps the function longer.
//
// The package starts no goroutine and does nothing at import.
package guard
