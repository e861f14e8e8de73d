#include "go_asm.h"
#include "textflag.h"

// Returns by a jump, for amd64. In order:
//
//	leaveTrue    the caller returns true
//	leave        the caller returns (values, true)
//
// Why: the processor predicts a RET by a stack of the CALLs before it, and a
// switch of stacks crosses them. After next's CALL and yield's CALL it is
// yield that returns first, so each RET would go wrong, at some 6 ns apiece. An
// indirect JMP is predicted by where it went before, which is right.
//
// Both drop the frame of the Go function that calls them (L3), as its epilogue
// would:
//
//	           at the call            at the JMP
//	 ret       ← BP+8                 SP = BP+16
//	 BP saved  ← BP                   BP = saved
//	 locals
//	 ret here  ← SP
//
// At each instruction a profiler's signal finds a return address where the
// pc-to-SP table says, first that of the caller, then that of the caller's
// caller. R14 and X15 stay as they are; Go's convention saves no other.

// FRAME is the usual distance from SP to BP in a caller, see RETURN.
#define FRAME 0x20

// RETURN drops the caller's frame and returns from it. BP tells where the frame
// ends, but was loaded late in the switch. So its value is guessed from SP, and
// only compared: the loads below do not wait for it.
#define RETURN \
	LEAQ	(FRAME+8)(SP), R11 \
	CMPQ	R11, BP \
	JEQ	2(PC) \
	MOVQ	BP, R11 \
	MOVQ	8(R11), R8 \
	MOVQ	0(R11), BP \
	LEAQ	8(R11), SP \
	ADJSP	$-8 \
	JMP	R8 \
	ADJSP	$8 // not reached; what follows has its frame again

// func leaveTrue()
TEXT ·leaveTrue(SB), NOSPLIT|NOFRAME, $0-0
	MOVL	$1, AX
	RETURN

// func leave(p *core)
//
// The values lie at core__size(p) (L1), in the shape that p says (L2).
TEXT ·leave(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	p+0(FP), DX
	MOVBLZX	core_shape(DX), R10
	CMPL	R10, $const_shapeWords1
	JNE	notWords1
	MOVQ	(core__size+0)(DX), AX
	MOVL	$1, BX
	RETURN
notWords1:
	CMPL	R10, $const_shapeWords2
	JNE	notWords2
	MOVQ	(core__size+0)(DX), AX
	MOVQ	(core__size+8)(DX), BX
	MOVL	$1, CX
	RETURN
notWords2:
	CMPL	R10, $const_shapePlain
	JEQ	plain
	CMPL	R10, $const_shapeHalf
	JEQ	half
	CMPL	R10, $const_shapeByte
	JEQ	byte
	CMPL	R10, $const_shapeFloat64
	JEQ	float64
	CMPL	R10, $const_shapeWords3
	JEQ	words3
	CMPL	R10, $const_shapeWords4
	JEQ	words4
	// Here: shapeWords0.
	MOVL	$1, AX
	RETURN
words3:
	MOVQ	(core__size+0)(DX), AX
	MOVQ	(core__size+8)(DX), BX
	MOVQ	(core__size+16)(DX), CX
	MOVL	$1, DI
	RETURN
words4:
	MOVQ	(core__size+0)(DX), AX
	MOVQ	(core__size+8)(DX), BX
	MOVQ	(core__size+16)(DX), CX
	MOVQ	(core__size+24)(DX), DI
	MOVL	$1, SI
	RETURN
half:
	MOVL	(core__size+0)(DX), AX
	MOVL	$1, BX
	RETURN
byte:
	MOVBLZX	(core__size+0)(DX), AX
	MOVL	$1, BX
	RETURN
float64:
	MOVSD	(core__size+0)(DX), X0
	MOVL	$1, AX
	RETURN
plain:
	RET
