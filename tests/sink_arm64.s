#include "textflag.h"

// func sinkStack(bytes uintptr)
// As on amd64.
TEXT ·sinkStack(SB), NOSPLIT|NOFRAME, $0-8
	MOVD	bytes+0(FP), R0
	MOVD	RSP, R1
	SUB	R0, R1, R2
	MOVD	R2, RSP
	MOVD	ZR, (RSP)
	MOVD	R1, RSP
	RET
