#include "textflag.h"

// As in floor_amd64.s. The frame of swaps begins with the link register:
//
//	 16  context of this side
//	 48  context of the other side
//	240  stack of the other side, growing down
//
// Everywhere: R0 = context of the side that runs, R1 = of the one that waits.

// func swaps(n uint64)
TEXT ·swaps(SB), 0, $256-8
	MOVD	n+0(FP), R8
	ADD	$16, RSP, R0
	ADD	$48, RSP, R1
	ADD	$240, RSP, R2
	MOVD	R2, 0(R1)
	MOVD	ZR, 8(R1)
	MOVD	$other<>(SB), R2
	MOVD	R2, 16(R1)

loop:
	BL	swap<>(SB)
	SUB	$1, R8
	CBNZ	R8, loop
	RET

TEXT other<>(SB), NOSPLIT|NOFRAME, $0-0
again:
	BL	swap<>(SB)
	B	again

TEXT swap<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVD	RSP, R2
	STP	(R2, R29), 0(R0)
	MOVD	R30, 16(R0)
	MOVD	R0, R3
	MOVD	R1, R0
	MOVD	R3, R1
	LDP	0(R0), (R2, R29)
	MOVD	R2, RSP
	MOVD	16(R0), R3
	JMP	(R3)
