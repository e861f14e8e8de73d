//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "go_asm.h"
#include "textflag.h"

// func moveWindow(c *Coro, lo uintptr) bool
//
// Moves the lower end of the window that the caller, c's body, runs in. False,
// with nothing done, if that leaves less than ResizeReserve below the caller.
//
//	before   g.stack [Lo,Hi)    stackguard0 Lo+stackGuard, or a preemption request
//	after    g.stack [lo,Hi)    stackguard0 lo+stackGuard, or the same request
//
// SAFETY(K1, K4, K5): see the package doc. Who looks at the bounds of a running g?
//
//   - This thread: the prologue of every function, runtime.newstack, and the
//     signal handler (runtime.wantAsyncPreempt, sigprof, adjustSignalStack). The
//     caller's SP lies in the window before and after, whichever of the two
//     words a signal finds changed.
//   - Other threads write stackguard0 to ask for preemption (preemptone,
//     suspendG), and do so at any moment. A request that is there stays: that is
//     what the compare is for. Whoever serves it derives stackguard0 from
//     g.stack.lo (runtime.newstack, execute), so lo goes first.
//   - The collector scans and measures a g that was stopped. It is not stopped
//     in here, and does not care elsewhere: it scans from sched.sp, and uses lo
//     for two decisions only (runtime.shrinkstack). It leaves a stack alone that
//     uses a quarter of hi-lo: raising lo makes the dead space a larger part, and
//     going back to a lo that Region.Check accepted is as safe as it was.
TEXT ·moveWindow(SB), NOSPLIT|NOFRAME, $0-17
	MOVQ	c+0(FP), DI
	MOVQ	lo+8(FP), BX
	LEAQ	c+0(FP), R12			// the caller's SP
	LEAQ	-const_ResizeReserve(R12), AX
	MOVB	$0, ret+16(FP)
	CMPQ	AX, BX
	JCS	out
	MOVQ	BX, R11
	ADDQ	·stackGuard(SB), R11
	MOVQ	BX, Coro_lo(DI)			// WIDEN's, at the next switch to c
	MOVQ	(TLS), R8
	MOVQ	BX, const_gStackLo(R8)
	MOVQ	const_gStackguard0(R8), AX
again:
	CMPQ	AX, R12
	JHI	asked				// stackPreempt is above any SP
	LOCK
	CMPXCHGQ	R11, const_gStackguard0(R8)
	JNE	again				// asked in between: AX has it
asked:
	MOVB	$1, ret+16(FP)
out:
	RET

// func callerSP() uintptr
//
// The stack pointer of its caller.
TEXT ·callerSP(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ	ret+0(FP), AX
	MOVQ	AX, ret+0(FP)
	RET
