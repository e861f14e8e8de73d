//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// The growth trap, for arm64: the routines of trap_amd64.s in the same order,
// which says what each is for. Here stands only what differs:
//
//   - g of the interrupted code is its R28, in the ucontext: a handler in front of
//     ours may have used the register.
//   - The assembler uses R27 to reach globals; C wants it back, so that R17 keeps it.
//   - memmove's return address is in LR, which it keeps: copyTrap is entered with
//     all of a call from copystack.

// siginfo_t and ucontext_t of Linux on arm64 (asm-generic/siginfo.h, asm/ucontext.h).
#define si_code 8
#define si_addr 16
#define uc_g 408
#define uc_pc 440

// R0 = signal, R1 = siginfo, R2 = ucontext, LR = the way back. Only R3 to R17 may
// change on the way to the next handler.
TEXT ·trapHandler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVD	R27, R17
	MOVD	uc_pc(R2), R3
	MOVD	·memmovePC(SB), R4
	SUB	R4, R3
	MOVD	·memmoveLen(SB), R4
	CMP	R4, R3
	BHS	other
	MOVW	si_code(R1), R3
	CMP	$0, R3
	BLE	other
	MOVD	uc_g(R2), R8
	CBZ	R8, other
	MOVD	const_gM(R8), R9
	MOVD	const_mG0(R9), R3
	CMP	R8, R3
	BNE	other
	MOVD	const_mCurg(R9), R10
	CBZ	R10, other
	MOVWU	const_gAtomicstatus(R10), R3
	CMP	$const_gCopystack, R3
	BNE	other
	// Here: R10 = g.
	MOVD	const_gStackHi(R10), R3
	MOVD	const_gStktopsp(R10), R11
	SUB	R11, R3, R4
	CMP	$64, R4
	BLS	other
	MOVD	const_coroSlot(R11), R11
	MOVBU	Coro_grows(R11), R4
	CMP	$1, R4
	BNE	other
	MOVD	Coro_g(R11), R4
	CMP	R4, R10
	BNE	other
	MOVD	si_addr(R1), R4
	MOVD	Coro_edge(R11), R5
	ADD	$const_edgeDepth, R5
	CMP	R5, R4
	BLO	other
	CMP	R3, R4
	BHS	other
	MOVD	$·copyTrap(SB), R3
	MOVD	R3, uc_pc(R2)
	MOVD	R17, R27
	RET
other:
	// In a cgo program R28 may be C's.
	MOVW	si_code(R1), R3
	CMP	$0, R3
	BLE	chain
	MOVD	si_addr(R1), R4
	CMP	$const_nilPages, R4
	BLO	chain
	MOVD	·noteFaultPC(SB), R5
	CBZ	R5, chain
	MOVB	runtime·iscgo(SB), R3
	CBNZ	R3, chain
	MOVD	uc_g(R2), R8
	CBZ	R8, chain
	MOVBU	const_gPaniconfault(R8), R3
	CBNZ	R3, chain
	MOVD	const_gM(R8), R9
	MOVD	const_mP(R9), R3
	CBZ	R3, chain
	SUB	$224, RSP		// the lowest two words: the call's
	STP	(R0, R1), 16(RSP)
	STP	(R2, R17), 32(RSP)
	STP	(R19, R20), 48(RSP)
	STP	(R21, R22), 64(RSP)
	STP	(R23, R24), 80(RSP)
	STP	(R25, R26), 96(RSP)
	STP	(g, R29), 112(RSP)
	MOVD	LR, 128(RSP)
	FSTPD	(F8, F9), 144(RSP)
	FSTPD	(F10, F11), 160(RSP)
	FSTPD	(F12, F13), 176(RSP)
	FSTPD	(F14, F15), 192(RSP)
	MOVD	R8, g
	MOVD	R4, R0
	CALL	(R5)
	FLDPD	144(RSP), (F8, F9)
	FLDPD	160(RSP), (F10, F11)
	FLDPD	176(RSP), (F12, F13)
	FLDPD	192(RSP), (F14, F15)
	MOVD	128(RSP), LR
	LDP	112(RSP), (g, R29)
	LDP	96(RSP), (R25, R26)
	LDP	80(RSP), (R23, R24)
	LDP	64(RSP), (R21, R22)
	LDP	48(RSP), (R19, R20)
	LDP	32(RSP), (R2, R17)
	LDP	16(RSP), (R0, R1)
	ADD	$224, RSP
chain:
	MOVD	·chainPC(SB), R16
	MOVD	R17, R27
	B	(R16)

// func copyTrap(frame uintptr)
//
// frame is the second word of copystack's frame: in the lowest it keeps LR.
TEXT ·copyTrap(SB), NOSPLIT, $560-8
	MOVD	$frame+0(FP), R0
	SUB	$8, R0
	MOVD	R0, 8(RSP)
	MOVD	$registers-512(SP), R0
	MOVD	R0, 16(RSP)
	CALL	·trapped(SB)
	// Here: g may run. R28 is g0 still.
	MOVBU	24(RSP), R3
	MOVD	const_gM(g), R9
	MOVD	const_mCurg(R9), R10
	CBNZ	R3, over
	ADD	$const_gSchedSP, R10	// the gobuf, whose first field sp is
	MOVD	R10, 8(RSP)
	MOVD	·gogoPC(SB), R4
	CALL	(R4)
	BRK	$0xc0f2			// gogo does not return
over:
	// As gogo, but with the function's arguments. R16 and R17 are free in any prologue.
	MOVD	R10, g
	MOVB	runtime·iscgo(SB), R0
	CBZ	R0, 3(PC)
	MOVD	·saveG(SB), R4
	CALL	(R4)
	MOVD	$registers-512(SP), R17
	MOVD	0(R17), R0
	MOVD	8(R17), R1
	MOVD	16(R17), R2
	MOVD	24(R17), R3
	MOVD	32(R17), R4
	MOVD	40(R17), R5
	MOVD	48(R17), R6
	MOVD	56(R17), R7
	MOVD	64(R17), R8
	MOVD	72(R17), R9
	MOVD	80(R17), R10
	MOVD	88(R17), R11
	MOVD	96(R17), R12
	MOVD	104(R17), R13
	MOVD	112(R17), R14
	MOVD	120(R17), R15
	FMOVD	256(R17), F0
	FMOVD	264(R17), F1
	FMOVD	272(R17), F2
	FMOVD	280(R17), F3
	FMOVD	288(R17), F4
	FMOVD	296(R17), F5
	FMOVD	304(R17), F6
	FMOVD	312(R17), F7
	FMOVD	320(R17), F8
	FMOVD	328(R17), F9
	FMOVD	336(R17), F10
	FMOVD	344(R17), F11
	FMOVD	352(R17), F12
	FMOVD	360(R17), F13
	FMOVD	368(R17), F14
	FMOVD	376(R17), F15
	MOVD	const_gSchedCtxt(g), R26
	MOVD	const_gSchedBP(g), R29
	MOVD	const_gSchedLR(g), LR
	MOVD	const_gSchedPC(g), R16
	MOVD	const_gSchedSP(g), R17
	MOVD	ZR, const_gSchedSP(g)
	MOVD	ZR, const_gSchedCtxt(g)
	MOVD	ZR, const_gSchedBP(g)
	MOVD	ZR, const_gSchedLR(g)
	MOVD	R17, RSP
	CMP	ZR, ZR
	B	(R16)

// func callInReserve(args uintptr)
// The frame has LR in its lowest word, so that arguments begin in the second.
TEXT ·callInReserve(SB), NOSPLIT|WRAPPER, $296-8
	NO_LOCAL_POINTERS
	MOVD	const_gStktopsp(g), R19
	MOVD	const_backSlot(R19), R20
	MOVD	R20, back-8(SP)
	MOVD	const_guardSlot(R19), R20
	MOVD	R20, guard-16(SP)
	MOVD	const_lentSlot(R19), R20
	MOVD	R20, outer-24(SP)
	MOVD	RSP, R20
	MOVD	R20, const_lentSlot(R19)
	ADD	$const_lentSlot, R19, R20
	MOVD	R20, mark-40(SP)		// lendArgs + 8 above RSP
	MOVD	const_callSlot(R19), R21
	LSR	$48, R21, R20
	MOVD	R20, size-32(SP)
	LSL	$16, R21
	LSR	$16, R21
	// Here: R21 = code, R20 = bytes on the stack.
	CBZ	R20, call
	MOVD	$args+0(FP), R22
	ADD	$8, RSP, R23
in:
	SUB	$8, R20
	MOVD	(R22)(R20), R24
	MOVD	R24, (R23)(R20)
	CBNZ	R20, in
call:
	CALL	(R21)
	MOVD	size-32(SP), R20
	CBZ	R20, close
	MOVD	$args+0(FP), R22
	ADD	$8, RSP, R23
out:
	SUB	$8, R20
	MOVD	(R23)(R20), R24
	MOVD	R24, (R22)(R20)
	CBNZ	R20, out
close:
	MOVD	ZR, mark-40(SP)
	MOVD	const_gStktopsp(g), R19
	MOVD	outer-24(SP), R20
	MOVD	R20, const_lentSlot(R19)
	MOVD	guard-16(SP), R20
	MOVD	R20, const_gStackguard0(g)
	MOVD	const_stateSlot(R19), R21
	AND	$1, R21
	ORR	R20, R21
	MOVD	R21, const_stateSlot(R19)
	MOVD	const_coroSlot(R19), R19
	MOVD	Coro_hi(R19), R20
	MOVD	Coro_lo(R19), R21
	SUB	R21, R20
	MOVD	back-8(SP), R21
	ADD	R21, R20
	MOVD	R21, Coro_lo(R19)
	MOVD	R20, Coro_hi(R19)
	MOVD	R21, const_gStackLo(g)
	MOVD	R20, const_gStackHi(g)
	RET

// func callInReservePC() uintptr
TEXT ·callInReservePC(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	$·callInReserve(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func trapHandlerPC() uintptr
TEXT ·trapHandlerPC(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	$·trapHandler(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func rewindow(c *Coro)
// Gives the caller, the body of c, the window in c.
TEXT ·rewindow(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	c+0(FP), R0
	MOVD	Coro_lo(R0), R1
	MOVD	R1, const_gStackLo(g)
	MOVD	Coro_hi(R0), R1
	MOVD	R1, const_gStackHi(g)
	MOVD	Coro_lo(R0), R1
	MOVD	·stackGuard(SB), R2
	ADD	R2, R1
	MOVD	R1, const_gStackguard0(g)
	RET

// func isCgo() bool
TEXT ·isCgo(SB), NOSPLIT|NOFRAME, $0-1
	MOVB	runtime·iscgo(SB), R0
	MOVB	R0, ret+0(FP)
	RET

// func morestackPC() uintptr
TEXT ·morestackPC(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	$runtime·morestack(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func framePointer() uintptr
TEXT ·framePointer(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	R29, ret+0(FP)
	RET
