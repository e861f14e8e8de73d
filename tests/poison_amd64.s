//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

#include "textflag.h"
#include "funcdata.h"

#define ALL(op) \
	op(CX, X0) \
	op(BX, X1) \
	op(SI, X2) \
	op(DI, X3) \
	op(R8, X4) \
	op(R9, X5) \
	op(R10, X6) \
	op(R11, X7) \
	op(R12, X8) \
	op(R13, X9) \
	op(R15, X10)

#define POISON(r, x) \
	LEAQ	0x01010101(AX), AX; \
	MOVQ	AX, r; \
	MOVQ	AX, x; \
	PUNPCKLQDQ	x, x;

// func poisonedSwitch(pattern uint64, c *stackhop.Coro, seen *registers) (refused uintptr)
//
// Calls the kernel's switch with pattern in every register that means nothing
// there, and notes those that mean something when it returns: R14 is g, X15 zero, DF
// clear (cmd/compile/abi-internal.md), BP and SP the caller's. In Go code the compiler
// would have set some of them again.
TEXT ·poisonedSwitch(SB), 0, $48-32
	NO_LOCAL_POINTERS
	MOVQ	BP, AX
	SUBQ	SP, AX
	MOVQ	AX, distance-8(SP)
	MOVQ	(TLS), R14
	MOVQ	R14, gBefore-16(SP)
	MOVQ	c+8(FP), AX
	MOVQ	AX, 0(SP)
	MOVQ	pattern+0(FP), AX
	ALL(POISON)
	MOVQ	AX, DX
	MOVQ	X0, X11
	MOVQ	X1, X12
	MOVQ	X2, X13
	MOVQ	X3, X14
	XORPS	X15, X15
	CALL	github·com∕stackhop∕stackhop·trySwitchCoro(SB)
	MOVQ	seen+16(FP), BX
	MOVQ	BP, AX
	SUBQ	SP, AX
	SUBQ	distance-8(SP), AX
	MOVQ	AX, 0(BX)
	MOVQ	R14, AX
	SUBQ	gBefore-16(SP), AX
	MOVQ	AX, 8(BX)
	MOVQ	(TLS), AX
	SUBQ	gBefore-16(SP), AX
	MOVQ	AX, 16(BX)
	MOVQ	X15, AX
	PSRLO	$8, X15
	MOVQ	X15, CX
	ORQ	CX, AX
	MOVQ	AX, 24(BX)
	PUSHFQ
	POPQ	AX
	ANDQ	$0x400, AX
	MOVQ	AX, 32(BX)
	XORPS	X15, X15
	MOVQ	(TLS), R14
	MOVQ	8(SP), AX
	MOVQ	AX, refused+24(FP)
	RET
