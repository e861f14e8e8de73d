//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// Bodies on a stack of the runtime, for arm64: the routines of native_amd64.s in
// the same order, which says what each is for. The frame of nativeBase begins
// with its return address, and has the caller's frame pointer below it.

#define baseSpill 8
#define baseC     16
#define baseAgain 24

// func nativeBase(c *Coro)
// Runs c.mainLoop on the stack of the runtime that the caller runs on.
TEXT ·nativeBase(SB), 0, $24-8
	NO_LOCAL_POINTERS
	MOVD	c+0(FP), R0
	MOVD	R0, baseC(RSP)
	MOVD	const_gStktopsp(g), R1
	MOVD	RSP, R2
	SUB	R2, R1
	MOVD	·nativeDepth(SB), R3
	CMP	R1, R3
	BEQ	2(PC)
	MOVD	R1, ·nativeDepth(SB)
	CALL	nativeHere<>(SB)
	// Here: also from leaveNative, by a jump.
	MOVD	c+0(FP), R0
	MOVD	·mainLoopPC(SB), R4
	CALL	(R4)
	MOVD	ZR, baseAgain(RSP)	// Current returns nil from here on
	RET

// nativeHere stores where its caller, nativeBase, goes on.
TEXT nativeHere<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVD	LR, baseAgain(RSP)
	MOVD	·nativeAgain(SB), R3
	CMP	LR, R3
	BEQ	2(PC)
	MOVD	LR, ·nativeAgain(SB)
	RET

// func leaveNative()
// Drops every frame of the body and enters mainLoop again.
TEXT ·leaveNative(SB), NOSPLIT|NOFRAME, $0-0
	MOVD	ZR, const_gPanic(g)
	MOVD	const_gStktopsp(g), R1
	MOVD	·nativeDepth(SB), R2
	SUB	R2, R1
	CBZ	R29, lost
	MOVD	R1, RSP
	SUB	$8, R1, R29
	MOVD	·nativeAgain(SB), R4
	B	(R4)
lost:
	BRK	$0xc0f2			// a deferred call has a frame

// func currentCoro() uintptr
// Returns the coroutine of the calling body, otherwise 0.
TEXT ·currentCoro(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	const_gStackHi(g), R3
	MOVD	const_gStktopsp(g), R1
	SUB	R1, R3
	CMP	$64, R3
	BLS	native
	MOVD	const_coroSlot(R1), R4
	MOVD	R4, ret+0(FP)
	RET
native:
	MOVD	const_gStartpc(g), R3
	MOVD	·corostartPC(SB), R4
	CMP	R3, R4
	BNE	none
	MOVD	·nativeDepth(SB), R2
	SUB	R2, R1
	MOVD	baseAgain(R1), R3
	MOVD	·nativeAgain(SB), R4
	CMP	R3, R4
	BNE	none
	MOVD	baseC(R1), R4
	MOVD	Coro_g(R4), R3
	CMP	g, R3
	BNE	none
	MOVD	R4, ret+0(FP)
	RET
none:
	MOVD	ZR, ret+0(FP)
	RET
