//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "go_asm.h"
#include "textflag.h"

// The switch, for arm64: the routines of switch_amd64.s in the same order, which
// says what each is for, who may look, and why that is safe. Here stands only
// what differs:
//
//   - g is R28; in a cgo program the C side finds it through thread-local
//     storage, which runtime.save_g writes; Go 1.27 does not link to it, so it is
//     discovered.
//   - The return address is in LR, so SP needs no adjusting: sched.sp is SP,
//     sched.pc is LR, sched.lr is 0.
//   - Plain stores suffice although the order is weak: a stop of the world, or
//     the caller's own claim of the coroutine, orders them for other threads.

#define hdrSP    16
#define hdrBP    24
#define hdrLo    32
#define hdrHi    40
#define hdrTop   48
#define hdrPanic 56
#define hdrDefer 64
#define hdrCoro  const_coroSlot
#define hdrLR    80		// 88 is overflowSlot

// LOOKING leaves R3 non-zero if somebody may be looking, or g is not plain.
// Clobbers R3, R4.
#define LOOKING \
	MOVD	·traceFlag(SB), R4 \
	MOVBU	(R4), R3 \
	MOVD	·profileFlag(SB), R4 \
	MOVBU	(R4), R4 \
	ORR	R4, R3 \
	MOVD	const_gLockedm(g), R4 \
	ORR	R4, R3 \
	MOVD	const_gBubble(g), R4 \
	ORR	R4, R3 \
	MOVWU	const_gSecret(g), R4 \
	ORR	R4, R3

// PARK completes F. LR must still be the caller's.
#define PARK \
	MOVD	RSP, R4 \
	MOVD	R4, const_gSchedSP(g) \
	MOVD	LR, const_gSchedPC(g) \
	MOVD	ZR, const_gSchedLR(g) \
	MOVD	R29, const_gSchedBP(g) \
	MOVD	$const_waitReasonCoroutine, R4 \
	MOVB	R4, const_gWaitreason(g)

// WIDEN gives T = R2 the running window of the coroutine in r. Clobbers R3, R4.
#define WIDEN(r) \
	MOVD	Coro_lo(r), R4 \
	MOVD	R4, const_gStackLo(R2) \
	MOVD	Coro_hi(r), R4 \
	MOVD	R4, const_gStackHi(R2) \
	MOVD	Coro_lo(r), R4 \
	MOVD	·stackGuard(SB), R3 \
	ADD	R3, R4 \
	MOVD	R4, const_gStackguard0(R2)

// NARROW gives F, the body of the coroutine in R0, the window of what it uses.
#define NARROW \
	MOVD	RSP, R4 \
	MOVD	R4, const_gStackLo(g) \
	MOVD	Coro_edge(R0), R4 \
	MOVD	R4, const_gStackHi(g)

// ENTER makes T the current g, on its stack. In: g = F, parked; R2 = T; curg and
// T.m are set. F moves to R5. save_g clobbers R0, R27 and, being called, LR.
#define ENTER \
	MOVD	g, R5 \
	MOVD	R2, g \
	MOVB	runtime·iscgo(SB), R0 \
	CBZ	R0, 3(PC) \
	MOVD	·saveG(SB), R4 \
	CALL	(R4) \
	MOVD	ZR, const_gM(R5) \
	MOVD	const_gSchedBP(g), R29 \
	MOVD	const_gSchedSP(g), R4 \
	MOVD	R4, RSP

// RUN jumps into T.
#define RUN \
	ENTER \
	MOVD	const_gSchedPC(g), R4 \
	CMP	ZR, ZR \
	B	(R4)

// RUNPAIRED is RUN by a RET, for the return predictor.
#define RUNPAIRED \
	ENTER \
	MOVD	const_gSchedPC(g), LR \
	RET

// STATUSES changes both with plain stores.
#define STATUSES \
	MOVD	$const_gWaiting, R4 \
	MOVW	R4, const_gAtomicstatus(g) \
	MOVD	$const_gRunning, R4 \
	MOVW	R4, const_gAtomicstatus(R2)

// SWITCH parks the caller on c.gp and runs whoever is parked there.
#define SWITCH \
	MOVD	c+0(FP), R0 \
	LOOKING \
	CBNZ	R3, slow \
	MOVD	const_gStackguard0(g), R4 \
	MOVD	RSP, R3 \
	CMP	R4, R3 \
	BLS	slow \
	MOVD	const_gM(g), R6 \
	MOVWU	runtime·writeBarrier(SB), R7 \
	MOVD	Coro_g(R0), R4 \
	CMP	R4, g \
	BEQ	leave \
	/* Here: g = F is an owner, T must be the body. R6 = m, R7 = marking. */ \
	MOVD	Coro_in(R0), R2 \
	MOVD	Coro_gp(R0), R4 \
	CMP	R2, R4 \
	BNE	slow \
	CBZ	R2, slow \
	CBNZ	R7, enterMarking \
	MOVD	Coro_edge(R0), R4 \
	CBZ	R4, park \
	WIDEN(R0) \
	B	park \
leave: \
	/* Here: g = F is the body, T its owner. */ \
	MOVD	Coro_gp(R0), R2 \
	CBNZ	R7, leaveMarking \
	MOVD	Coro_edge(R0), R4 \
	CBZ	R4, park \
	NARROW \
park: \
	PARK \
	MOVD	g, Coro_gp(R0) \
	MOVD	R6, const_gM(R2) \
	MOVD	R2, const_mCurg(R6) \
	STATUSES \
	RUN \
enterMarking: \
	MOVD	R6, const_gM(R2) \
	ADD	$const_gAtomicstatus, R2, R8 \
	MOVD	$const_gWaiting, R9 \
	MOVD	$const_gRunning, R10 \
take: \
	LDAXRW	(R8), R4 \
	CMPW	R9, R4 \
	BNE	busy \
	STLXRW	R10, (R8), R4 \
	CBNZ	R4, take \
	MOVD	Coro_edge(R0), R4 \
	CBZ	R4, parkMarking \
	WIDEN(R0) \
	B	parkMarking \
leaveMarking: \
	MOVD	R6, const_gM(R2) \
	ADD	$const_gAtomicstatus, R2, R8 \
	MOVD	$const_gWaiting, R9 \
	MOVD	$const_gRunning, R10 \
takeOwner: \
	LDAXRW	(R8), R4 \
	CMPW	R9, R4 \
	BNE	busy \
	STLXRW	R10, (R8), R4 \
	CBNZ	R4, takeOwner \
	MOVD	Coro_edge(R0), R4 \
	CBZ	R4, parkMarking \
	NARROW \
parkMarking: \
	PARK \
	MOVD	g, Coro_gp(R0) \
	MOVD	R2, const_mCurg(R6) \
	ADD	$const_gAtomicstatus, g, R8 \
give: \
	LDAXRW	(R8), R4 \
	CMPW	R10, R4 \
	BNE	scanned \
	STLXRW	R9, (R8), R4 \
	CBNZ	R4, give \
	RUN \
scanned: \
	YIELD \
	B	give \
busy: \
	CLREX \
	MOVD	ZR, const_gM(R2) \
slow:

// func switchCoro(c *Coro)
// Parks the caller on c.gp and runs whoever is parked there.
TEXT ·switchCoro(SB), NOSPLIT|NOFRAME, $0-8
	SWITCH
	B	·switchSlow(SB)

// func trySwitchCoro(c *Coro) *refusal
// The same, but answers why it cannot be done.
TEXT ·trySwitchCoro(SB), NOSPLIT|NOFRAME, $0-16
	MOVD	ZR, ret+8(FP)
	SWITCH
	B	·trySwitchSlow(SB)

// func transferCoro(c, to *Coro) *refusal
// Parks the caller, c's body, on c.gp, and runs to's body for c's owner.
TEXT ·transferCoro(SB), NOSPLIT|NOFRAME, $0-24
	MOVD	c+0(FP), R0
	MOVD	to+8(FP), R11
	LOOKING
	CBNZ	R3, slow
	MOVWU	runtime·writeBarrier(SB), R4
	CBNZ	R4, slow
	MOVD	const_gStackguard0(g), R4
	MOVD	RSP, R3
	CMP	R4, R3
	BLS	slow
	MOVD	Coro_g(R0), R4
	CMP	R4, g
	BNE	slow
	MOVD	Coro_in(R11), R2
	MOVD	Coro_gp(R11), R4
	CMP	R2, R4
	BNE	slow
	CBZ	R2, slow
	MOVD	const_gM(g), R6
	MOVD	ZR, ret+16(FP)
	MOVD	Coro_edge(R11), R4
	CBZ	R4, toNative
	WIDEN(R11)
toNative:
	MOVD	Coro_edge(R0), R4
	CBZ	R4, fromNative
	NARROW
fromNative:
	PARK
	MOVD	Coro_gp(R0), R4
	MOVD	R4, Coro_gp(R11)
	MOVD	g, Coro_gp(R0)
	MOVD	R6, const_gM(R2)
	MOVD	R2, const_mCurg(R6)
	STATUSES
	RUNPAIRED
slow:
	B	·transferSlow(SB)

// func lockWindow(c *Coro) bool
// Widens the window of c's parked body under the scan bit.
TEXT ·lockWindow(SB), NOSPLIT|NOFRAME, $0-9
	MOVD	c+0(FP), R0
	MOVD	Coro_g(R0), R2
	MOVB	ZR, ret+8(FP)
	ADD	$const_gAtomicstatus, R2, R8
	MOVD	$const_gWaiting, R9
	MOVD	$(const_gWaiting|const_gScan), R10
take:
	LDAXRW	(R8), R4
	CMPW	R9, R4
	BNE	out
	STLXRW	R10, (R8), R4
	CBNZ	R4, take
	WIDEN(R0)
	STLRW	R9, (R8)
	MOVD	$1, R4
	MOVB	R4, ret+8(FP)
	RET
out:
	CLREX
	RET

// func dropFrames(c *Coro) bool
// Has c's body, parked on its region, parked in the caller of rehome instead.
TEXT ·dropFrames(SB), NOSPLIT|NOFRAME, $0-9
	MOVD	c+0(FP), R0
	MOVB	ZR, ret+8(FP)
	MOVD	·traceFlag(SB), R4
	MOVBU	(R4), R3
	MOVD	·profileFlag(SB), R4
	MOVBU	(R4), R4
	ORR	R4, R3
	MOVWU	runtime·writeBarrier(SB), R4
	ORR	R4, R3
	CBNZ	R3, out
	MOVD	Coro_g(R0), R2
	MOVD	Coro_gp(R0), R4
	CMP	R4, R2
	BNE	out
	MOVD	Coro_edge(R0), R1
	SUB	$const_spill, R1
	// Here: R2 = the body's g, R1 = header.
	MOVD	hdrLo(R1), R4
	MOVD	R4, const_gStackLo(R2)
	MOVD	·stackGuard(SB), R5
	ADD	R5, R4
	MOVD	R4, const_gStackguard0(R2)
	MOVD	hdrHi(R1), R4
	MOVD	R4, const_gStackHi(R2)
	MOVD	hdrTop(R1), R4
	MOVD	R4, const_gStktopsp(R2)
	MOVD	hdrPanic(R1), R4
	MOVD	R4, const_gPanic(R2)
	MOVD	hdrDefer(R1), R4
	MOVD	R4, const_gDefer(R2)
	MOVD	hdrBP(R1), R4
	MOVD	R4, const_gSchedBP(R2)
	MOVD	hdrLR(R1), R4			// rehome's return address
	MOVD	R4, const_gSchedPC(R2)
	MOVD	ZR, const_gSchedLR(R2)
	MOVD	hdrSP(R1), R4
	MOVD	R4, const_gSchedSP(R2)
	MOVD	ZR, Coro_edge(R0)
	MOVD	$1, R4
	MOVB	R4, ret+8(FP)
out:
	RET

// startCoro is the code of the closure that a coroutine's goroutine runs. In: R26 =
// closure, R0 = the argument.
TEXT ·startCoro(SB), NOSPLIT|NOFRAME|NEEDCTXT, $0-0
	SUB	$Coro_spIn, R26, R0
	MOVD	·startPC(SB), R4
	B	(R4)

// func startCoroPC() uintptr
TEXT ·startCoroPC(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	$·startCoro(SB), R4
	MOVD	R4, ret+0(FP)
	RET

// func rehome(c *Coro)
// Runs c.mainLoop on c's region; returns on the native stack when that has.
TEXT ·rehome(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	c+0(FP), R0
	MOVD	Coro_edge(R0), R1
	SUB	$const_spill, R1
	// Here: R1 = header = SP of the base.
	MOVD	RSP, R4
	MOVD	R4, hdrSP(R1)
	MOVD	R29, hdrBP(R1)
	MOVD	LR, hdrLR(R1)
	MOVD	const_gStackLo(g), R4
	MOVD	R4, hdrLo(R1)
	MOVD	const_gStackHi(g), R4
	MOVD	R4, hdrHi(R1)
	MOVD	const_gStktopsp(g), R4
	MOVD	R4, hdrTop(R1)
	MOVD	const_gPanic(g), R4
	MOVD	R4, hdrPanic(R1)
	MOVD	const_gDefer(g), R4
	MOVD	R4, hdrDefer(R1)
	MOVD	R0, hdrCoro(R1)
	MOVD	g, R2
	WIDEN(R0)
	MOVD	R1, const_gStktopsp(g)
	ADD	$const_spill, R1
	MOVD	R1, RSP
	MOVD	ZR, R29
	MOVBU	Coro_grows(R0), R4
	CBZ	R4, 2(PC)
	B	·coroutineBase(SB)
	B	·coroutineBase_strictStack_overflowIsFatal(SB)

// The outermost frame on a region. In: SP = header + spill. The receiver's spill slot
// is the header's second word: a frame of two words, or else it would lie outside,
// where a heap dump (runtime.dumpframe) has no memory for it.
#define BASE \
	SUB	$const_spill, RSP \
	MOVD	hdrCoro(RSP), R0 \
	MOVD	·mainLoopPC(SB), R4 \
	BL	(R4) \
	/* Here: g as before, SP = header. Back to the native side. */ \
	ADD	$const_spill, RSP \
	CBNZ	R29, lost \
	MOVD	RSP, R1 \
	SUB	$const_spill, R1 \
	MOVD	hdrLo(R1), R4 \
	MOVD	R4, const_gStackLo(g) \
	MOVD	·stackGuard(SB), R5 \
	ADD	R5, R4 \
	MOVD	R4, const_gStackguard0(g) \
	MOVD	hdrHi(R1), R4 \
	MOVD	R4, const_gStackHi(g) \
	MOVD	hdrTop(R1), R4 \
	MOVD	R4, const_gStktopsp(g) \
	MOVD	hdrPanic(R1), R4 \
	MOVD	R4, const_gPanic(g) \
	MOVD	hdrDefer(R1), R4 \
	MOVD	R4, const_gDefer(g) \
	MOVD	hdrBP(R1), R29 \
	MOVD	hdrLR(R1), LR \
	MOVD	hdrSP(R1), R4 \
	MOVD	R4, RSP \
	RET \
lost: \
	BRK	$0xc0f0			/* mainLoop did not keep the frame pointer */

TEXT ·coroutineBase(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	BASE

TEXT ·coroutineBase_strictStack_overflowIsFatal(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	BASE

// func leaveGoexit()
// Drops every frame on the caller's region and enters mainLoop again at the base.
TEXT ·leaveGoexit(SB), NOSPLIT|NOFRAME, $0-0
	MOVD	const_gStktopsp(g), R1
	MOVD	hdrPanic(R1), R4
	MOVD	R4, const_gPanic(g)
	MOVD	hdrDefer(R1), R4
	MOVD	R4, const_gDefer(g)
	CBZ	R29, lost
	MOVD	hdrCoro(R1), R0
	ADD	$const_spill, R1
	MOVD	R1, RSP
	MOVD	ZR, R29
	MOVBU	Coro_grows(R0), R4
	CBZ	R4, 2(PC)
	B	·coroutineBase(SB)
	B	·coroutineBase_strictStack_overflowIsFatal(SB)
lost:
	BRK	$0xc0f1			// a deferred call has a frame

// func regionCoro() uintptr
// The Coro in the header of the region that the caller runs on, else 0.
TEXT ·regionCoro(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	const_gStackHi(g), R3
	MOVD	const_gStktopsp(g), R1
	SUB	R1, R3
	CMP	$64, R3
	BLS	none
	MOVD	hdrCoro(R1), R4
	MOVD	R4, ret+0(FP)
	RET
none:
	MOVD	ZR, ret+0(FP)
	RET

// func inheritModes(to uintptr) (from uintptr)
// Gives the parked g to what newproc1 passes on, and answers the current g.
TEXT ·inheritModes(SB), NOSPLIT|NOFRAME, $0-16
	MOVD	to+0(FP), R2
	MOVBU	const_gFipsOnlyBypass(g), R4
	MOVB	R4, const_gFipsOnlyBypass(R2)
	MOVBU	const_gDitWanted(g), R4
	MOVB	R4, const_gDitWanted(R2)
	MOVB	ZR, const_gFipsIndicator(R2)
	MOVB	ZR, const_gPaniconfault(R2)
	MOVD	g, from+8(FP)
	RET

// func poke64(addr, v uintptr)
TEXT ·poke64(SB), NOSPLIT|NOFRAME, $0-16
	MOVD	addr+0(FP), R0
	MOVD	v+8(FP), R1
	MOVD	R1, (R0)
	RET

// func poke32(addr uintptr, v uint32)
TEXT ·poke32(SB), NOSPLIT|NOFRAME, $0-12
	MOVD	addr+0(FP), R0
	MOVWU	v+8(FP), R1
	MOVW	R1, (R0)
	RET

// func poke8(addr uintptr, v uint8)
TEXT ·poke8(SB), NOSPLIT|NOFRAME, $0-9
	MOVD	addr+0(FP), R0
	MOVBU	v+8(FP), R1
	MOVB	R1, (R0)
	RET
