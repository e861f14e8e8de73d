//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "go_asm.h"
#include "textflag.h"

// The routines of resize_amd64.s, which says who looks, and why that is safe.

// func moveWindow(c *Coro, lo uintptr) bool
// Moves the lower end of the window that the caller, c's body, runs in.
TEXT ·moveWindow(SB), NOSPLIT|NOFRAME, $0-17
	MOVD	c+0(FP), R0
	MOVD	lo+8(FP), R1
	MOVD	RSP, R2
	SUB	$const_ResizeReserve, R2, R3
	MOVB	ZR, ret+16(FP)
	CMP	R1, R3
	BLO	out
	MOVD	·stackGuard(SB), R4
	ADD	R1, R4
	MOVD	R1, Coro_lo(R0)
	MOVD	R1, const_gStackLo(g)
	ADD	$const_gStackguard0, g, R5
again:
	LDAXR	(R5), R6
	CMP	R2, R6
	BHI	asked
	STLXR	R4, (R5), R6
	CBNZ	R6, again
	B	done
asked:
	CLREX
done:
	MOVD	$1, R4
	MOVB	R4, ret+16(FP)
out:
	RET

// func callerSP() uintptr
// The stack pointer of its caller.
TEXT ·callerSP(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	RSP, R4
	MOVD	R4, ret+0(FP)
	RET
