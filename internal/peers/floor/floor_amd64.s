#include "textflag.h"

// One context is three words: sp, bp, pc.
//
// The frame of swaps:
//
//	  0  context of this side
//	 32  context of the other side
//	240  stack of the other side, growing down
//
// Everywhere: SI = context of the side that runs, DX = of the one that waits.

// func swaps(n uint64)
// Makes n round trips to the other side.
TEXT ·swaps(SB), 0, $256-8
	MOVQ	n+0(FP), R8
	LEAQ	0(SP), SI
	LEAQ	32(SP), DX
	LEAQ	240(SP), AX
	MOVQ	AX, 0(DX)
	MOVQ	$0, 8(DX)
	LEAQ	other<>(SB), AX
	MOVQ	AX, 16(DX)

loop:
	CALL	swap<>(SB)
	DECQ	R8
	JNZ	loop
	RET

// The other side: answers every swap with one, for ever.
TEXT other<>(SB), NOSPLIT|NOFRAME, $0-0
again:
	CALL	swap<>(SB)
	JMP	again

// Parks the caller in SI and runs DX. Returns when the other side swaps back.
TEXT swap<>(SB), NOSPLIT|NOFRAME, $0-0
	POPQ	AX
	MOVQ	SP, 0(SI)
	MOVQ	BP, 8(SI)
	MOVQ	AX, 16(SI)
	MOVQ	SI, CX
	MOVQ	DX, SI
	MOVQ	CX, DX
	MOVQ	0(SI), SP
	MOVQ	8(SI), BP
	MOVQ	16(SI), AX
	JMP	AX
