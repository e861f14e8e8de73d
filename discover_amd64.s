//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "go_asm.h"
#include "textflag.h"

// SAFETY(K1): g and m are read through constants of the release's layout file.
// SAFETY(K2): discover calls these before it trusts any address; a fault here
// is an ordinary panic at the caller (see guarded).

// func readSelf(s *self)
TEXT ·readSelf(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), DI
	MOVQ (TLS), AX
	MOVQ AX, self_g(DI)
	MOVQ SP, self_sp(DI)
	MOVQ const_gStackLo(AX), CX
	MOVQ CX, self_lo(DI)
	MOVQ const_gStackHi(AX), CX
	MOVQ CX, self_hi(DI)
	MOVQ const_gStktopsp(AX), CX
	MOVQ CX, self_top(DI)
	MOVQ const_gLockedm(AX), CX
	MOVQ CX, self_lockedm(DI)
	MOVQ const_gGoid(AX), CX
	MOVQ CX, self_goid(DI)
	MOVQ const_gBubble(AX), CX
	MOVQ CX, self_bubble(DI)
	MOVL const_gAtomicstatus(AX), CX
	MOVL CX, self_status(DI)

	MOVQ const_gM(AX), BX
	MOVQ BX, self_m(DI)
	MOVQ const_mCurg(BX), CX
	MOVQ CX, self_curg(DI)
	MOVL const_mLockedExt(BX), CX
	MOVL CX, self_lockedExt(DI)
	MOVL const_mLockedInt(BX), CX
	MOVL CX, self_lockedInt(DI)

	MOVQ const_mG0(BX), BX
	MOVQ BX, self_g0(DI)
	MOVQ const_gStackLo(BX), CX
	MOVQ CX, self_g0Lo(DI)
	MOVQ const_gStackguard0(BX), CX
	MOVQ CX, self_g0Guard(DI)
	RET

// func peek8(addr uintptr) uint8
TEXT ·peek8(SB), NOSPLIT, $0-9
	MOVQ addr+0(FP), AX
	MOVB (AX), AX
	MOVB AX, ret+8(FP)
	RET

// func peek32(addr uintptr) uint32
TEXT ·peek32(SB), NOSPLIT, $0-12
	MOVQ addr+0(FP), AX
	MOVL (AX), AX
	MOVL AX, ret+8(FP)
	RET

// func peek64(addr uintptr) uintptr
TEXT ·peek64(SB), NOSPLIT, $0-16
	MOVQ addr+0(FP), AX
	MOVQ (AX), AX
	MOVQ AX, ret+8(FP)
	RET
