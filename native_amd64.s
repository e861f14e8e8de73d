//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// Bodies on a stack of the runtime, for amd64. SAFETY(K1, K7): see the package doc.
//
//	nativeBase    the frame below every frame of a body on such a stack
//	leaveNative   drop a body's frames, back to that
//	currentCoro   the coroutine of the calling body
//
// The stack of a coroutine that was made without a region, high to low:
//
//	g.stktopsp ──┐
//	             │ goexit, corostart, start
//	             ├ nativeBase: saved BP, ·nativeAgain, c, spill slot
//	             ├ mainLoop, the body and whatever it calls
//	        SP ──┘
//
// The runtime moves such a stack when it grows or shrinks, and keeps every
// distance from g.stktopsp: ·nativeDepth is the distance of nativeBase's SP.

// The frame of nativeBase, bytes above its SP.
#define baseC     8	// c
#define baseAgain 16	// ·nativeAgain: says that this is nativeBase's frame
#define baseBP    24	// the caller's frame pointer; the assembler stores it

// func nativeBase(c *Coro)
//
// Runs c.mainLoop on the stack of the runtime that the caller runs on. The first
// word of the frame is the spill slot of mainLoop's receiver. The argument keeps c
// alive; the copy of it in the frame is not for the collector.
TEXT ·nativeBase(SB), 0, $24-8
	NO_LOCAL_POINTERS
	MOVQ	c+0(FP), AX
	MOVQ	AX, baseC(SP)
	// Both numbers are the same each time: they depend only on how the program was
	// compiled.
	MOVQ	(TLS), R8
	MOVQ	const_gStktopsp(R8), BX
	SUBQ	SP, BX
	CMPQ	BX, ·nativeDepth(SB)
	JEQ	2(PC)
	MOVQ	BX, ·nativeDepth(SB)
	CALL	nativeHere<>(SB)
	// Here: also from leaveNative, by a jump.
	MOVQ	(TLS), R14
	XORPS	X15, X15
	MOVQ	c+0(FP), AX
	MOVQ	·mainLoopPC(SB), CX
	CALL	CX
	MOVQ	$0, baseAgain(SP)	// Current returns nil from here on
	RET

// nativeHere stores where its caller, nativeBase, goes on.
TEXT nativeHere<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ	0(SP), AX
	MOVQ	AX, (8+baseAgain)(SP)
	CMPQ	AX, ·nativeAgain(SB)
	JEQ	2(PC)
	MOVQ	AX, ·nativeAgain(SB)
	RET

// func leaveNative()
//
// Drops every frame of the body and enters mainLoop again. Called by the last
// deferred call of a runtime.Goexit on a body, like leaveGoexit: so the
// goroutine serves the next body. g._defer has only what start and corostart
// have deferred, by now, and these frames stay. Never returns.
TEXT ·leaveNative(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ	(TLS), R8
	MOVQ	$0, const_gPanic(R8)	// the Goexit, and panics that it overtook: all in dropped frames
	MOVQ	const_gStktopsp(R8), BX
	SUBQ	·nativeDepth(SB), BX
	CMPQ	BP, $0
	JEQ	lost
	MOVQ	BX, SP
	LEAQ	baseBP(BX), BP
	MOVQ	·nativeAgain(SB), AX
	JMP	AX
lost:
	INT	$3			// a deferred call has a frame

// func currentCoro() uintptr
//
// Returns the coroutine of the calling body, otherwise 0. On a region its header tells.
// On a stack of the runtime it is the frame of nativeBase; but that place may
// hold anything if the goroutine is no coroutine of ours, even what a nativeBase
// has left there on a stack that was this goroutine's memory before. So:
//
//   - The goroutine began in runtime.corostart.
//   - ·nativeAgain is in its place.
//   - The word for c is then c, or was: the memory is, or has been, a Coro's, and
//     the heap's memory stays readable. That of c names its goroutine as long as
//     this lives, so it names this one or is not of this one.
TEXT ·currentCoro(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	(TLS), R8
	MOVQ	const_gStackHi(R8), AX
	MOVQ	const_gStktopsp(R8), BX
	SUBQ	BX, AX
	CMPQ	AX, $64
	JLS	native			// see regionCoro
	MOVQ	const_coroSlot(BX), AX
	MOVQ	AX, ret+0(FP)
	RET
native:
	MOVQ	const_gStartpc(R8), AX
	CMPQ	AX, ·corostartPC(SB)
	JNE	none
	SUBQ	·nativeDepth(SB), BX
	MOVQ	baseAgain(BX), AX
	CMPQ	AX, ·nativeAgain(SB)
	JNE	none
	MOVQ	baseC(BX), AX
	CMPQ	R8, Coro_g(AX)
	JNE	none
	MOVQ	AX, ret+0(FP)
	RET
none:
	MOVQ	$0, ret+0(FP)
	RET
