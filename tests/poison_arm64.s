//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

#include "textflag.h"
#include "funcdata.h"

// func poisonedSwitch(pattern uint64, c *stackhop.Coro, seen *registers) (refused uintptr)
//
// As on amd64. Go's ABI: R28 is g, R29 and RSP the caller's. R18 is the platform's, and
// nobody changes it.
TEXT ·poisonedSwitch(SB), 0, $48-32
	NO_LOCAL_POINTERS
	MOVD	RSP, R1
	SUB	R1, R29, R0
	MOVD	R0, distance-8(SP)
	MOVD	g, gBefore-16(SP)
	MOVD	c+8(FP), R0
	MOVD	R0, 8(RSP)
	MOVD	pattern+0(FP), R0
	ADD	$1, R0, R1
	ADD	$2, R0, R2
	ADD	$3, R0, R3
	ADD	$4, R0, R4
	ADD	$5, R0, R5
	ADD	$6, R0, R6
	ADD	$7, R0, R7
	ADD	$8, R0, R8
	ADD	$9, R0, R9
	ADD	$10, R0, R10
	ADD	$11, R0, R11
	ADD	$12, R0, R12
	ADD	$13, R0, R13
	ADD	$14, R0, R14
	ADD	$15, R0, R15
	ADD	$16, R0, R16
	ADD	$17, R0, R17
	ADD	$19, R0, R19
	ADD	$20, R0, R20
	ADD	$21, R0, R21
	ADD	$22, R0, R22
	ADD	$23, R0, R23
	ADD	$24, R0, R24
	ADD	$25, R0, R25
	FMOVD	R0, F0
	FMOVD	R1, F1
	FMOVD	R2, F2
	FMOVD	R3, F3
	FMOVD	R4, F8
	FMOVD	R5, F9
	FMOVD	R6, F10
	FMOVD	R7, F15
	FMOVD	R8, F16
	FMOVD	R9, F31
	ADD	$26, R0, R26
	CALL	github·com∕stackhop∕stackhop·trySwitchCoro(SB)
	MOVD	seen+16(FP), R2
	MOVD	RSP, R1
	SUB	R1, R29, R0
	MOVD	distance-8(SP), R1
	SUB	R1, R0
	MOVD	R0, 0(R2)
	MOVD	gBefore-16(SP), R1
	SUB	R1, g, R0
	MOVD	R0, 8(R2)
	MOVD	16(RSP), R0
	MOVD	R0, refused+24(FP)
	RET
