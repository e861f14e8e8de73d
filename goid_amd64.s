#include "textflag.h"

// func getg() uintptr
// The current g, from thread-local storage: ABI0 does not promise R14.
TEXT ·getg(SB), NOSPLIT, $0-8
	MOVQ	(TLS), AX
	MOVQ	AX, ret+0(FP)
	RET
