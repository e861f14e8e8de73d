//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// The growth trap, for amd64. SAFETY(K1, K2, K3); see trap_asm.go for the whole.
//
//	trapHandler   the SIGSEGV handler: whose fault is it?
//	other         in it: a fault in some stack's guard, perhaps
//	copyTrap      on g0: undo a stack copy, run the prologue again
//	callInReserve make a call that did not fit, and close the reserve behind it
//	rewindow      give the running body the window that its Coro names
//
// Where each side is when the handler runs, and where it goes:
//
//	g       in state copystack, SP at the entry of the function that did not fit
//	g0      morestack → newstack → copystack → memmove, which faults
//	        morestack → newstack → copystack → copyTrap → trapped; then gogo
//
// copystack never goes on: g0's frames are dropped, as newstack drops them.

// siginfo_t and ucontext_t of Linux on amd64 (asm/siginfo.h, asm/sigcontext.h).
#define si_code 8
#define si_addr 16
#define uc_rsp 160
#define uc_rip 168
#define uc_eflags 176
#define FLAG_DF 0x400

// The kernel, or a handler in front of ours, calls it as a C function:
// DI = signal, SI = siginfo, DX = ucontext, and SP at a return address. On the
// signal stack; g is the interrupted one's. Only AX, CX, R8 to R11 may change on
// the way to the next handler, which must find the rest as it was.
TEXT ·trapHandler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	// As the kernel gave it: a reference to a global goes through R15 in a plugin.
	PUSHQ	R15
	// PC in memmove: Go code ran, so the thread's g is a good one (else TLS may be
	// nil or C's).
	MOVQ	uc_rip(DX), AX
	SUBQ	·memmovePC(SB), AX
	CMPQ	AX, ·memmoveLen(SB)
	JCC	other
	// A fault, and no kill from outside.
	CMPL	si_code(SI), $0
	JLE	other
	// On g0, with a user goroutine in copystack.
	MOVQ	(TLS), R8
	TESTQ	R8, R8
	JZ	other
	MOVQ	const_gM(R8), R9
	CMPQ	R8, const_mG0(R9)
	JNE	other
	MOVQ	const_mCurg(R9), R10
	TESTQ	R10, R10
	JZ	other
	CMPL	const_gAtomicstatus(R10), $const_gCopystack
	JNE	other
	// Here: R10 = g. Only a region has so much above the outermost frame (regionCoro).
	MOVQ	const_gStackHi(R10), AX
	MOVQ	const_gStktopsp(R10), R11
	MOVQ	AX, CX
	SUBQ	R11, CX
	CMPQ	CX, $64
	JLS	other
	MOVQ	const_coroSlot(R11), R11
	CMPB	Coro_grows(R11), $1
	JNE	other
	CMPQ	R10, Coro_g(R11)
	JNE	other
	// The address is in the dead space.
	MOVQ	si_addr(SI), CX
	MOVQ	Coro_edge(R11), R11
	ADDQ	$const_edgeDepth, R11
	CMPQ	CX, R11
	JCS	other
	CMPQ	CX, AX
	JCC	other
	// Ours: on return from the signal copyTrap runs instead of memmove, as if
	// copystack had called it: SP is where memmove has its return address.
	LEAQ	·copyTrap(SB), AX
	MOVQ	AX, uc_rip(DX)
	ANDQ	$~FLAG_DF, uc_eflags(DX)
	POPQ	R15
	RET
other:
	// Not the trap's. NoteFaults has something to say if it is a fault, no nil
	// dereference, of a goroutine that did not ask for a panic, on a thread with a P:
	// as long as this one keeps that, the collector gets to no end.
	CMPL	si_code(SI), $0
	JLE	chain
	MOVQ	si_addr(SI), AX
	CMPQ	AX, $const_nilPages
	JCS	chain
	MOVQ	·noteFaultPC(SB), R11
	TESTQ	R11, R11
	JZ	chain
	MOVQ	(TLS), R8
	TESTQ	R8, R8
	JZ	chain
	CMPB	const_gPaniconfault(R8), $0
	JNE	chain
	MOVQ	const_gM(R8), R9
	CMPQ	const_mP(R9), $0
	JEQ	chain
	PUSHQ	DI
	PUSHQ	SI
	PUSHQ	DX
	PUSHQ	BX
	PUSHQ	BP
	PUSHQ	R12
	PUSHQ	R13
	PUSHQ	R14
	SUBQ	$8, SP			// the spill slot of the call's argument, AX
	MOVQ	R8, R14
	XORPS	X15, X15
	CALL	R11
	ADDQ	$8, SP
	POPQ	R14
	POPQ	R13
	POPQ	R12
	POPQ	BP
	POPQ	BX
	POPQ	DX
	POPQ	SI
	POPQ	DI
chain:
	MOVQ	·chainPC(SB), AX
	POPQ	R15
	JMP	AX

// Here: on g0; SP, BP, R14 as memmove got them, which has no frame and keeps the
// two registers.
// func copyTrap(frame uintptr)
//
// frame is the lowest word of copystack's frame.
TEXT ·copyTrap(SB), NOSPLIT, $416-8
	CMPB	·hasAVX(SB), $0
	JEQ	2(PC)
	VZEROUPPER			// memmove was in the middle of its AVX loop, perhaps
	XORPS	X15, X15
	LEAQ	frame+0(FP), AX
	MOVQ	AX, 0(SP)
	LEAQ	registers-384(SP), AX
	MOVQ	AX, 8(SP)
	CALL	·trapped(SB)
	// Here: g may run. R14 is g0 still.
	MOVBLZX	16(SP), AX
	MOVQ	(TLS), R8
	MOVQ	const_gM(R8), R9
	MOVQ	const_mCurg(R9), R10
	TESTB	AX, AX
	JNZ	over
	LEAQ	const_gSchedSP(R10), AX	// the gobuf, whose first field sp is
	MOVQ	AX, 0(SP)
	MOVQ	·gogoPC(SB), AX
	CALL	AX
	INT	$3			// gogo does not return
over:
	// As gogo, but with the function's arguments. R12 and R13 are free in any
	// prologue. TLS before SP, as there: a signal in between finds a g with an m.
	MOVQ	R10, R14
	LEAQ	registers-384(SP), R12
	MOVQ	0(R12), AX
	MOVQ	8(R12), CX
	MOVQ	24(R12), BX
	MOVQ	48(R12), SI
	MOVQ	56(R12), DI
	MOVQ	64(R12), R8
	MOVQ	72(R12), R9
	MOVQ	80(R12), R10
	MOVQ	88(R12), R11
	MOVSD	128(R12), X0
	MOVSD	144(R12), X1
	MOVSD	160(R12), X2
	MOVSD	176(R12), X3
	MOVSD	192(R12), X4
	MOVSD	208(R12), X5
	MOVSD	224(R12), X6
	MOVSD	240(R12), X7
	MOVSD	256(R12), X8
	MOVSD	272(R12), X9
	MOVSD	288(R12), X10
	MOVSD	304(R12), X11
	MOVSD	320(R12), X12
	MOVSD	336(R12), X13
	MOVSD	352(R12), X14
	MOVQ	TLS, R13
	MOVQ	R14, 0(R13)(TLS*1)
	MOVQ	const_gSchedCtxt(R14), DX
	MOVQ	const_gSchedBP(R14), BP
	MOVQ	const_gSchedPC(R14), R12
	MOVQ	const_gSchedSP(R14), R13
	MOVQ	$0, const_gSchedSP(R14)
	MOVQ	$0, const_gSchedCtxt(R14)
	MOVQ	$0, const_gSchedBP(R14)
	MOVQ	R13, SP
	JMP	R12

// func callInReserve(args uintptr)
//
// Calls the function that did not fit, for its own caller, as if that had called it;
// then gives the stack the window and the guard that the header names. args is the
// first word of the function's arguments on the stack, register arguments too:
// the function has spilled those before it called morestack. A copy of all is where it
// expects them, and it goes on behind that call: it loads its registers and
// begins again. The results are in registers, and on the stack in the copy.
//
// WRAPPER, so that a deferred function may recover although this is between it and
// the panic, and Callers leaves the frame out. Nothing here is a safe point for a
// preemption but the call.
//
// In: DX = closure, as gogo loads it. R14 = g.
TEXT ·callInReserve(SB), NOSPLIT|WRAPPER, $296-8
	NO_LOCAL_POINTERS
	MOVQ	const_gStktopsp(R14), R12
	MOVQ	const_backSlot(R12), R13
	MOVQ	R13, back-8(SP)
	MOVQ	const_guardSlot(R12), R13
	MOVQ	R13, guard-16(SP)
	MOVQ	const_lentSlot(R12), R13
	MOVQ	R13, outer-24(SP)
	MOVQ	SP, const_lentSlot(R12)
	LEAQ	const_lentSlot(R12), R13
	MOVQ	R13, mark-40(SP)		// lendArgs above SP
	MOVQ	const_callSlot(R12), R13
	MOVQ	R13, R12
	SHRQ	$48, R12
	MOVQ	R12, size-32(SP)
	SHLQ	$16, R13
	SHRQ	$16, R13
	// Here: R13 = code, R12 = bytes on the stack, which begin at 16(BP).
	TESTQ	R12, R12
	JEQ	call
in:
	SUBQ	$8, R12
	MOVQ	16(BP)(R12*1), R15
	MOVQ	R15, (SP)(R12*1)
	JNE	in
call:
	CALL	R13
	MOVQ	size-32(SP), R12
	TESTQ	R12, R12
	JEQ	close
out:
	SUBQ	$8, R12
	MOVQ	(SP)(R12*1), R13
	MOVQ	R13, 16(BP)(R12*1)
	JNE	out
close:
	// Free here: DX, R12, R13, R15. g from TLS, if that was no function of ABIInternal.
	// No observer: as in rehome.
	MOVQ	$0, mark-40(SP)
	MOVQ	(TLS), R12
	MOVQ	const_gStktopsp(R12), R13
	MOVQ	outer-24(SP), DX
	MOVQ	DX, const_lentSlot(R13)
	MOVQ	guard-16(SP), DX
	MOVQ	DX, const_gStackguard0(R12)
	MOVQ	const_stateSlot(R13), R15
	ANDQ	$1, R15
	ORQ	DX, R15
	MOVQ	R15, const_stateSlot(R13)
	MOVQ	const_coroSlot(R13), R13
	MOVQ	Coro_hi(R13), R15
	SUBQ	Coro_lo(R13), R15
	MOVQ	back-8(SP), DX
	ADDQ	DX, R15
	MOVQ	DX, Coro_lo(R13)
	MOVQ	R15, Coro_hi(R13)
	MOVQ	DX, const_gStackLo(R12)
	MOVQ	R15, const_gStackHi(R12)
	RET

// func callInReservePC() uintptr
TEXT ·callInReservePC(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ	·callInReserve(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func trapHandlerPC() uintptr
TEXT ·trapHandlerPC(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ	·trapHandler(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func rewindow(c *Coro)
//
// Gives the caller, the body of c, the window in c. No observer: as in rehome.
TEXT ·rewindow(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	c+0(FP), DI
	MOVQ	(TLS), R8
	MOVQ	Coro_lo(DI), AX
	MOVQ	AX, const_gStackLo(R8)
	MOVQ	Coro_hi(DI), AX
	MOVQ	AX, const_gStackHi(R8)
	MOVQ	·stackGuard(SB), AX
	ADDQ	Coro_lo(DI), AX
	MOVQ	AX, const_gStackguard0(R8)
	RET

// func isCgo() bool
TEXT ·isCgo(SB), NOSPLIT|NOFRAME, $0-1
	MOVB	runtime·iscgo(SB), AX
	MOVB	AX, ret+0(FP)
	RET

// func morestackPC() uintptr
TEXT ·morestackPC(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ	runtime·morestack(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func framePointer() uintptr
TEXT ·framePointer(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	BP, ret+0(FP)
	RET
