//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

#include "go_asm.h"
#include "textflag.h"

// As discover_amd64.s; g is a register here, R28.

// func readSelf(s *self)
TEXT ·readSelf(SB), NOSPLIT, $0-8
	MOVD s+0(FP), R0
	MOVD g, self_g(R0)
	MOVD RSP, R1
	MOVD R1, self_sp(R0)
	MOVD const_gStackLo(g), R1
	MOVD R1, self_lo(R0)
	MOVD const_gStackHi(g), R1
	MOVD R1, self_hi(R0)
	MOVD const_gStktopsp(g), R1
	MOVD R1, self_top(R0)
	MOVD const_gLockedm(g), R1
	MOVD R1, self_lockedm(R0)
	MOVD const_gGoid(g), R1
	MOVD R1, self_goid(R0)
	MOVD const_gBubble(g), R1
	MOVD R1, self_bubble(R0)
	MOVWU const_gAtomicstatus(g), R1
	MOVW R1, self_status(R0)

	MOVD const_gM(g), R2
	MOVD R2, self_m(R0)
	MOVD const_mCurg(R2), R1
	MOVD R1, self_curg(R0)
	MOVWU const_mLockedExt(R2), R1
	MOVW R1, self_lockedExt(R0)
	MOVWU const_mLockedInt(R2), R1
	MOVW R1, self_lockedInt(R0)

	MOVD const_mG0(R2), R2
	MOVD R2, self_g0(R0)
	MOVD const_gStackLo(R2), R1
	MOVD R1, self_g0Lo(R0)
	MOVD const_gStackguard0(R2), R1
	MOVD R1, self_g0Guard(R0)
	RET

// func peek8(addr uintptr) uint8
TEXT ·peek8(SB), NOSPLIT, $0-9
	MOVD  addr+0(FP), R0
	MOVBU (R0), R0
	MOVB  R0, ret+8(FP)
	RET

// func peek32(addr uintptr) uint32
TEXT ·peek32(SB), NOSPLIT, $0-12
	MOVD  addr+0(FP), R0
	MOVWU (R0), R0
	MOVW  R0, ret+8(FP)
	RET

// func peek64(addr uintptr) uintptr
TEXT ·peek64(SB), NOSPLIT, $0-16
	MOVD addr+0(FP), R0
	MOVD (R0), R0
	MOVD R0, ret+8(FP)
	RET
