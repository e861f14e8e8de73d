//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// The switch, for amd64. SAFETY(K1, K4, K5): see the package doc. In order:
//
//	switchCoro          park one side of a coroutine, run the other
//	trySwitchCoro       the same, answering a refusal
//	transferCoro        park one coroutine's body, run another's
//	lockWindow          widen the stack window of a parked body (slow path)
//	dropFrames          have a parked body leave its region, without running it
//	startCoro           begin a fresh body
//	rehome              move it onto its region
//	coroutineBase…      the outermost frame on a region
//	leaveGoexit         drop all frames on a region, back to its base
//
// F is the g that calls, T the g that runs next, m their thread's m. A parked
// g is as runtime.coroswitch leaves it (coro.go): waiting, no m, sched holding
// the caller's SP after return, PC and BP. So either way of switching resumes
// what the other parked. Nothing else is saved: ABI0 has no callee-saved
// register but SP, BP and g.
//
// A region, g.stack and g.sched.sp in each stage of a body's life:
//
//	fresh      g.stack native   sp native         region untouched
//	running    g.stack [Lo,Hi)  sp in [Lo,Top)    header holds the native side
//	suspended  g.stack [sp,edge) sp in [Lo,edge)   likewise; edge is above the frames, in the header
//	leaving    as running; leaveGoexit drops the frames
//	done       g.stack native   sp native         region free
//
// The window is narrow while suspended since the collector counts hi-sp of
// every stack as scan work and paces the heap by it (runtime.scanstack,
// mgcmark.go; gcControllerState.heapGoalInternal, mgcpacer.go): the dead space
// would count as scanned.
//
// Who may look at F or T here? The collector's mark phase, the execution tracer
// and a goroutine profile: each raises its flag with the world stopped, and the
// world cannot stop in here, since assembly is no asynchronous safe point
// (runtime.isAsyncSafePoint, preempt.go). So what the flags say at the top
// holds to the jump. A signal may arrive at any instruction; it finds g through
// TLS, then g.m.

// The header of a region, bytes above its base. The first 16 are the base's
// caller's spill area, which ABIInternal callees may write.
#define hdrRet   16		// for debuggers: see rehome
#define hdrLo    32
#define hdrHi    40
#define hdrTop   48
#define hdrPanic 56
#define hdrDefer 64
#define hdrCoro  const_coroSlot
#define hdrSP    136
#define hdrBP    144

// LOOKING leaves ZF clear in F's way if somebody may be looking, or F is not
// plain. In: R8 = F. Clobbers AX, BX.
//
//	lockedm   F is wired to its thread; the runtime hands the wiring on
//	bubble    synctest counts who is active
//	secret    runtime/secret erases registers at a switch
//	SP test   a preemption request; else a loop that only switches could never be
//	          stopped under asyncpreemptoff=1. stackPreempt is above any SP.
#define LOOKING \
	MOVQ	·traceFlag(SB), AX \
	MOVQ	·profileFlag(SB), BX \
	MOVBLZX	(AX), AX \
	ORB	(BX), AX \
	ORQ	const_gLockedm(R8), AX \
	ORL	const_gSecret(R8), AX \
	ORQ	const_gBubble(R8), AX

// PARK completes F as runtime.mcall would: the caller's SP, PC and BP, not ours,
// so that an unwinder never meets this frame. The wait reason is read by leak
// profiles, the tracer and synctest; F may have waited for something else since
// it parked here last. Mostly it has not, and a look is cheaper than a store.
// Leaves the caller's SP in AX. In: R8 = F. Clobbers BX.
#define PARK \
	LEAQ	c+0(FP), AX \
	MOVQ	0(SP), BX \
	MOVQ	BX, const_gSchedPC(R8) \
	MOVQ	BP, const_gSchedBP(R8) \
	MOVQ	AX, const_gSchedSP(R8) \
	CMPB	const_gWaitreason(R8), $const_waitReasonCoroutine \
	JEQ	2(PC) \
	MOVB	$const_waitReasonCoroutine, const_gWaitreason(R8)

// WIDEN gives T = R9, the body of the coroutine in r, its running window. suspendG
// resets stackguard0 from the narrow window when it scans, so that is stored, too;
// a preemption request lost with it is made again. lo and hi lie in Coro as in g.
// Clobbers R11, X0.
#define WIDEN(r) \
	MOVOU	Coro_lo(r), X0 \
	MOVOU	X0, const_gStackLo(R9) \
	MOVQ	·stackGuard(SB), R11 \
	ADDQ	Coro_lo(r), R11 \
	MOVQ	R11, const_gStackguard0(R9)

// NARROW gives F, the body of the coroutine in DI, the window of what it uses.
// Everything live is at or above the caller's SP, in AX; lo there also keeps
// shrinkstack away. Clobbers X0.
#define NARROW \
	MOVQ	AX, X0 \
	MOVHPS	Coro_edge(DI), X0 \
	MOVOU	X0, const_gStackLo(R8)

// HAND gives T the thread: T.m before curg, which sysmon may read at any time.
#define HAND \
	MOVQ	R10, const_gM(R9) \
	MOVQ	R9, const_mCurg(R10)

// STATUSES changes both with plain stores: nobody marks, so nobody takes a g by
// its status.
#define STATUSES \
	MOVL	$const_gWaiting, const_gAtomicstatus(R8) \
	MOVL	$const_gRunning, const_gAtomicstatus(R9)

// TAKE makes T running while the collector marks, which takes a g by setting the
// scan bit in its status. T comes before F: if the collector has T, nothing has
// happened yet. T.m comes before the status, since suspendG reads the m of a
// running g. Clears ZF if the collector has T.
#define TAKE \
	MOVQ	R10, const_gM(R9) \
	MOVL	$const_gWaiting, AX \
	MOVL	$const_gRunning, BX \
	LOCK \
	CMPXCHGL	BX, const_gAtomicstatus(R9)

// GIVE makes F waiting while the collector marks. It fails only while suspendG,
// on another thread, holds the scan bit of the running F, for the few
// instructions that ask it to stop (preempt.go). Clobbers AX, BX.
#define GIVE \
	MOVL	$const_gRunning, AX \
	MOVL	$const_gWaiting, BX \
	LOCK \
	CMPXCHGL	BX, const_gAtomicstatus(R8) \
	JEQ	3(PC) \
	PAUSE \
	JMP	-6(PC)

// GUESS leaves T's SP in R13. guess in r is where T parked when it last did here; true
// unless the runtime parked T or moved its stack since. Going to the new stack
// by way of c, T and T.sched.sp is what bounds the speed of a switch; the guess
// is one load from c, and the check of it a branch that is predicted. While the collector
// marks it may move T's stack, until TAKE: SETTLE is for after that.
#define GUESS(guess, r) \
	MOVQ	guess(r), R13 \
	CMPQ	R13, const_gSchedSP(R9) \
	JEQ	2(PC) \
	MOVQ	const_gSchedSP(R9), R13

// SETTLE leaves T's SP in R13 once nobody else can move T's stack.
#define SETTLE \
	MOVQ	const_gSchedSP(R9), R13

// RUN jumps into T. In: R8 = F, parked; R9 = T, which has its m and status; R13 =
// T's SP.
//
// TLS goes before F.m = nil: a signal in between dereferences the m of the g in
// TLS. No context register: T was parked by a call, and a fresh T, which needs
// one, starts on the slow path. X15 is zero, DF clear: F's Go code left them so,
// and nothing here touches them. A jump, not a RET: the return predictor knows
// F's callers only.
#define RUN \
	MOVQ	TLS, CX \
	MOVQ	R9, 0(CX)(TLS*1) \
	MOVQ	R9, R14 \
	MOVQ	$0, const_gM(R8) \
	MOVQ	const_gSchedBP(R9), BP \
	MOVQ	R13, SP \
	MOVQ	const_gSchedPC(R9), AX \
	JMP	AX

// RUNPAIRED is RUN by a RET instead of a jump, for a T that is believed to have
// parked in the same call as F: then the return predictor's top entry, pushed by
// F's call, is where T goes on, and its callers' entries fit too. The word below
// T's SP is free: T's own call pushed its return address there.
#define RUNPAIRED \
	MOVQ	TLS, CX \
	MOVQ	R9, 0(CX)(TLS*1) \
	MOVQ	R9, R14 \
	MOVQ	$0, const_gM(R8) \
	MOVQ	const_gSchedBP(R9), BP \
	MOVQ	const_gSchedPC(R9), AX \
	MOVQ	AX, -8(R13) \
	LEAQ	-8(R13), SP \
	RET

// SWITCH parks the caller on c.gp and runs whoever is parked there. It falls
// through to what follows it, with nothing done, if it cannot. A coroutine of
// the portable backend has no g.
//
//	before   gp = T     T: sched holds its sp, pc, bp      F: running here
//	after    gp = F     F: sched holds its sp, pc, bp      T: running
//
// F is in R14: only Go code calls this, and that keeps g there up to the call.
// On the owner's side T comes from c.in and not from c.gp, whose last store is
// the previous switch's: a shorter chain of dependent loads.
#define SWITCH \
	MOVQ	c+0(FP), DI \
	MOVQ	R14, R8 \
	LOOKING \
	JNZ	slow \
	CMPQ	SP, const_gStackguard0(R8) \
	JLS	slow \
	MOVQ	const_gM(R8), R10 \
	CMPQ	R8, Coro_g(DI) \
	JEQ	leave \
	/* F is an owner, T must be the body: else done, fresh, or running elsewhere. */ \
	/* That of a zero Coro is 0. */ \
	MOVQ	Coro_in(DI), R9 \
	CMPQ	R9, Coro_gp(DI) \
	JNE	slow \
	TESTQ	R9, R9 \
	JZ	slow \
	GUESS(Coro_spIn, DI) \
	CMPL	runtime·writeBarrier(SB), $0 \
	JNE	enterMarking \
	PARK \
	CMPQ	Coro_edge(DI), $0 \
	JEQ	enterNative \
	WIDEN(DI) \
enterNative: \
	HAND \
	MOVQ	AX, Coro_spOut(DI) \
	MOVQ	R8, Coro_gp(DI) \
	STATUSES \
	RUN \
leave: \
	/* F is the body, T its owner. */ \
	MOVQ	Coro_gp(DI), R9 \
	GUESS(Coro_spOut, DI) \
	CMPL	runtime·writeBarrier(SB), $0 \
	JNE	leaveMarking \
	PARK \
	CMPQ	Coro_edge(DI), $0 \
	JEQ	leaveNative \
	NARROW \
leaveNative: \
	HAND \
	MOVQ	AX, Coro_spIn(DI) \
	MOVQ	R8, Coro_gp(DI) \
	STATUSES \
	RUN \
enterMarking: \
	TAKE \
	JNE	busy \
	SETTLE \
	CMPQ	Coro_edge(DI), $0 \
	JEQ	enterMarkingNative \
	WIDEN(DI) \
enterMarkingNative: \
	PARK \
	MOVQ	AX, Coro_spOut(DI) \
	MOVQ	R8, Coro_gp(DI) \
	HAND \
	GIVE \
	RUN \
leaveMarking: \
	TAKE \
	JNE	busy \
	SETTLE \
	PARK \
	MOVQ	AX, Coro_spIn(DI) \
	CMPQ	Coro_edge(DI), $0 \
	JEQ	leaveMarkingNative \
	NARROW \
leaveMarkingNative: \
	MOVQ	R8, Coro_gp(DI) \
	HAND \
	GIVE \
	RUN \
busy: \
	/* As every waiting g. */ \
	MOVQ	$0, const_gM(R9) \
slow:

// func switchCoro(c *Coro)
//
// Parks the caller on c.gp and runs whoever is parked there. Returns when
// somebody switches back; panics if it cannot be done.
TEXT ·switchCoro(SB), NOSPLIT|NOFRAME, $0-8
	SWITCH
	JMP	·switchSlow(SB)		// same arguments

// func trySwitchCoro(c *Coro) *refusal
//
// The same, but answers why it cannot be done.
TEXT ·trySwitchCoro(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ	$0, ret+8(FP)		// F finds it when it is resumed
	SWITCH
	JMP	·trySwitchSlow(SB)	// same arguments, same result

// func transferCoro(c, to *Coro) *refusal
//
// Parks the caller, c's body, on c.gp, and runs to's body; c's owner becomes
// to's. Returns when somebody switches to c, or why it did not happen.
//
//	before   c.gp = O   to.gp = T   F: running here
//	after    c.gp = F   to.gp = O   T: running
TEXT ·transferCoro(SB), NOSPLIT|NOFRAME, $0-24
	MOVQ	c+0(FP), DI
	MOVQ	to+8(FP), R12
	MOVQ	R14, R8
	LOOKING
	JNZ	slow
	CMPL	runtime·writeBarrier(SB), $0
	JNE	slow			// rare enough: no middle path of its own
	CMPQ	SP, const_gStackguard0(R8)
	JLS	slow
	CMPQ	R8, Coro_g(DI)
	JNE	slow
	MOVQ	Coro_in(R12), R9
	CMPQ	R9, Coro_gp(R12)
	JNE	slow
	TESTQ	R9, R9
	JZ	slow
	GUESS(Coro_spIn, R12)
	MOVQ	const_gM(R8), R10
	MOVQ	$0, ret+16(FP)
	CMPQ	Coro_edge(R12), $0
	JEQ	toNative
	WIDEN(R12)
toNative:
	PARK
	MOVQ	AX, Coro_spIn(DI)
	CMPQ	Coro_edge(DI), $0
	JEQ	fromNative
	NARROW
fromNative:
	MOVQ	Coro_gp(DI), AX
	MOVQ	AX, Coro_gp(R12)
	MOVQ	R8, Coro_gp(DI)
	MOVQ	Coro_spOut(DI), AX
	MOVQ	AX, Coro_spOut(R12)
	HAND
	STATUSES
	RUNPAIRED
slow:
	JMP	·transferSlow(SB)

// func lockWindow(c *Coro) bool
//
// Widens the window of c's parked body, for the runtime's own switch, which
// knows nothing of windows. It takes the g as the collector does, by the scan
// bit, and gives it back at once. False: somebody else has it; try again.
TEXT ·lockWindow(SB), NOSPLIT|NOFRAME, $0-9
	MOVQ	c+0(FP), DI
	MOVQ	Coro_g(DI), R9
	MOVB	$0, ret+8(FP)
	MOVL	$const_gWaiting, AX
	MOVL	$(const_gWaiting|const_gScan), BX
	LOCK
	CMPXCHGL	BX, const_gAtomicstatus(R9)
	JNE	out
	WIDEN(DI)
	MOVL	$const_gWaiting, AX
	XCHGL	AX, const_gAtomicstatus(R9)
	MOVB	$1, ret+8(FP)
out:
	RET

// func dropFrames(c *Coro) bool
//
// Has c's body, which is parked on its region, parked in the caller of rehome
// instead: as if mainLoop had returned, and rehome, and that caller had switched then.
// False, with nothing done, if somebody may be looking, or the body is not parked.
// Who may look at a parked g is whom the switch, too, keeps away by these flags.
//
//	before   g.stack [sp,edge) sp in [Lo,edge)  header holds the native side
//	after    g.stack native    sp native        region free
TEXT ·dropFrames(SB), NOSPLIT|NOFRAME, $0-9
	MOVQ	c+0(FP), DI
	MOVB	$0, ret+8(FP)
	MOVQ	·traceFlag(SB), AX
	MOVQ	·profileFlag(SB), BX
	MOVBLZX	(AX), AX
	ORB	(BX), AX
	ORL	runtime·writeBarrier(SB), AX
	JNZ	out
	MOVQ	Coro_g(DI), R9
	CMPQ	R9, Coro_gp(DI)
	JNE	out
	MOVQ	Coro_edge(DI), R11
	SUBQ	$const_spill, R11
	// Here: R9 = the body's g, R11 = header.
	MOVQ	hdrLo(R11), AX
	MOVQ	AX, const_gStackLo(R9)
	ADDQ	·stackGuard(SB), AX
	MOVQ	AX, const_gStackguard0(R9)
	MOVQ	hdrHi(R11), AX
	MOVQ	AX, const_gStackHi(R9)
	MOVQ	hdrTop(R11), AX
	MOVQ	AX, const_gStktopsp(R9)
	MOVQ	hdrPanic(R11), AX
	MOVQ	AX, const_gPanic(R9)
	MOVQ	hdrDefer(R11), AX
	MOVQ	AX, const_gDefer(R9)
	MOVQ	hdrBP(R11), AX
	MOVQ	AX, const_gSchedBP(R9)
	MOVQ	hdrSP(R11), BX
	MOVQ	(BX), AX			// rehome's return address
	MOVQ	AX, const_gSchedPC(R9)
	ADDQ	$8, BX
	MOVQ	BX, const_gSchedSP(R9)
	MOVQ	$0, Coro_edge(DI)
	MOVB	$1, ret+8(FP)
out:
	RET

// startCoro is the code of the closure that a coroutine's goroutine runs: c.start.
// The closure is a part of c, so there is none to allocate. In, as every func value
// is called (cmd/compile/abi-internal.md): DX = closure, AX = the argument, the
// runtime's coro, in whose place c goes: the caller has room to spill AX, and no more.
TEXT ·startCoro(SB), NOSPLIT|NOFRAME|NEEDCTXT, $0-0
	LEAQ	-Coro_spIn(DX), AX
	MOVQ	·startPC(SB), CX
	JMP	CX

// func startCoroPC() uintptr
TEXT ·startCoroPC(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ	·startCoro(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func rehome(c *Coro)
//
// Runs c.mainLoop on c's region. Called on the body's native stack; returns there
// when that has returned.
//
// No observer while it runs: a g that is running is scanned only after it
// stopped at a safe point, and there is none in here. A preemption request that
// the new stackguard0 overwrites is made again by whoever wants it.
TEXT ·rehome(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	c+0(FP), DI
	MOVQ	(TLS), R8
	MOVQ	Coro_edge(DI), BX
	SUBQ	$const_spill, BX
	// Here: BX = header = SP of the base.
	MOVQ	SP, hdrSP(BX)
	MOVQ	BP, hdrBP(BX)
	MOVQ	const_gStackLo(R8), AX
	MOVQ	AX, hdrLo(BX)
	MOVQ	const_gStackHi(R8), AX
	MOVQ	AX, hdrHi(BX)
	MOVQ	const_gStktopsp(R8), AX
	MOVQ	AX, hdrTop(BX)
	// Debuggers, which don't know TOPFRAME, take the base's frame to return where
	// corostart's does, to goexit, and that to return to 0, as on any goroutine.
	MOVQ	-8(AX), AX
	MOVQ	AX, hdrRet(BX)
	MOVQ	$0, (hdrRet+8)(BX)
	MOVQ	const_gPanic(R8), AX
	MOVQ	AX, hdrPanic(BX)
	MOVQ	const_gDefer(R8), AX
	MOVQ	AX, hdrDefer(BX)
	MOVQ	DI, hdrCoro(BX)		// for the base, and for Current
	// As WIDEN, but lo and hi were stored one by one just now: a load of both at
	// once would wait for the stores.
	MOVQ	Coro_lo(DI), AX
	MOVQ	AX, const_gStackLo(R8)
	MOVQ	Coro_hi(DI), AX
	MOVQ	AX, const_gStackHi(R8)
	MOVQ	·stackGuard(SB), AX
	ADDQ	Coro_lo(DI), AX
	MOVQ	AX, const_gStackguard0(R8)
	MOVQ	BX, const_gStktopsp(R8)	// where precise unwinding must end
	LEAQ	const_spill(BX), SP
	XORL	BP, BP			// frame-pointer walks end here
	CMPB	Coro_grows(DI), $0
	JEQ	2(PC)
	JMP	·coroutineBase(SB)
	JMP	·coroutineBase_strictStack_overflowIsFatal(SB)

// The outermost frame on a region. It takes no arguments: the collector would
// read them out of the dead space. Its name stands in every trace. For a stack
// with a fatal overflow the name says so, since the runtime's own message does not.
//
// In: SP = header + spill. The frame is the spill area of mainLoop's receiver, which
// is in AX: the call is one of ABIInternal. mainLoop's frame keeps the Coro alive from
// its stack check on.
#define BASE \
	NO_LOCAL_POINTERS \
	ADJSP	$const_spill \
	MOVQ	hdrCoro(SP), AX \
	MOVQ	·mainLoopPC(SB), CX \
	CALL	CX \
	/* Here: R14 = g again, SP = header. Back to the native side. */ \
	MOVQ	SP, BX \
	ADJSP	$-const_spill \
	CMPQ	BP, $0 \
	JNE	lost \
	MOVQ	(TLS), R8 \
	MOVQ	hdrLo(BX), AX \
	MOVQ	AX, const_gStackLo(R8) \
	ADDQ	·stackGuard(SB), AX \
	MOVQ	AX, const_gStackguard0(R8) \
	MOVQ	hdrHi(BX), AX \
	MOVQ	AX, const_gStackHi(R8) \
	MOVQ	hdrTop(BX), AX \
	MOVQ	AX, const_gStktopsp(R8) \
	MOVQ	hdrPanic(BX), AX \
	MOVQ	AX, const_gPanic(R8) \
	MOVQ	hdrDefer(BX), AX \
	MOVQ	AX, const_gDefer(R8) \
	MOVQ	hdrBP(BX), BP \
	MOVQ	hdrSP(BX), SP \
	RET				/* rehome's */ \
lost: \
	INT	$3			/* mainLoop did not keep the frame pointer */

TEXT ·coroutineBase(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	BASE

TEXT ·coroutineBase_strictStack_overflowIsFatal(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	BASE

// func leaveGoexit()
//
// Drops every frame on the caller's region and enters mainLoop again at the base. Called
// by the last deferred call of a runtime.Goexit on a body: the runtime must
// not finish it, for it would free a stack that is not its own. Never returns.
TEXT ·leaveGoexit(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ	(TLS), R8
	MOVQ	const_gStktopsp(R8), BX
	MOVQ	hdrPanic(BX), AX
	MOVQ	AX, const_gPanic(R8)
	MOVQ	hdrDefer(BX), AX
	MOVQ	AX, const_gDefer(R8)
	CMPQ	BP, $0
	JEQ	lost
	MOVQ	hdrCoro(BX), DI
	LEAQ	const_spill(BX), SP
	XORL	BP, BP
	CMPB	Coro_grows(DI), $0
	JEQ	2(PC)
	JMP	·coroutineBase(SB)
	JMP	·coroutineBase_strictStack_overflowIsFatal(SB)
lost:
	INT	$3			// a deferred call has a frame

// func regionCoro() uintptr
//
// The Coro in the header of the region that the caller runs on, else 0. Only on
// a region are more than 64 bytes above the outermost frame: newproc1 leaves 32
// on amd64 and 48 on arm64.
TEXT ·regionCoro(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	(TLS), R8
	MOVQ	const_gStackHi(R8), AX
	MOVQ	const_gStktopsp(R8), BX
	SUBQ	BX, AX
	CMPQ	AX, $64
	JLS	none
	MOVQ	hdrCoro(BX), AX
	MOVQ	AX, ret+0(FP)
	RET
none:
	MOVQ	$0, ret+0(FP)
	RET

// func inheritModes(to uintptr) (from uintptr)
//
// Gives the parked g to what runtime.newproc1 passes on beside labels (proc.go,
// Go 1.26 and 1.27), takes back what crypto/internal/fips140 has noted of earlier
// work, and debug.SetPanicOnFault, and answers the current g. Nobody but to itself,
// and who schedules it, looks at these. Where a release has no such field the store to
// the indicator undoes the others.
TEXT ·inheritModes(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ	to+0(FP), R9
	MOVQ	(TLS), R8
	MOVBLZX	const_gFipsOnlyBypass(R8), AX
	MOVB	AX, const_gFipsOnlyBypass(R9)
	MOVBLZX	const_gDitWanted(R8), AX
	MOVB	AX, const_gDitWanted(R9)
	MOVB	$0, const_gFipsIndicator(R9)
	MOVB	$0, const_gPaniconfault(R9)
	MOVQ	R8, from+8(FP)
	RET

// func poke64(addr, v uintptr)
TEXT ·poke64(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ	addr+0(FP), AX
	MOVQ	v+8(FP), BX
	MOVQ	BX, (AX)
	RET

// func poke32(addr uintptr, v uint32)
TEXT ·poke32(SB), NOSPLIT|NOFRAME, $0-12
	MOVQ	addr+0(FP), AX
	MOVL	v+8(FP), BX
	MOVL	BX, (AX)
	RET

// func poke8(addr uintptr, v uint8)
TEXT ·poke8(SB), NOSPLIT|NOFRAME, $0-9
	MOVQ	addr+0(FP), AX
	MOVB	v+8(FP), BX
	MOVB	BX, (AX)
	RET
