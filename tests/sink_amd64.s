#include "textflag.h"

// func sinkStack(bytes uintptr)
//
// Moves SP down without a stack check, and writes there: what a chain of nosplit
// functions or a careless assembly routine would do.
TEXT ·sinkStack(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	bytes+0(FP), AX
	SUBQ	AX, SP
	MOVQ	$1, (SP)
	ADDQ	AX, SP
	RET
