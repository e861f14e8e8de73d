// Package code decodes the machine code of a linked Go program as far as the
// depth of its stack depends on it: where control goes, how SP moves, which
// addresses are taken, and by which operand an indirect call finds its target.
//
// A [Decoder] decodes one instruction. [Analyze] decodes a function and lists its
// calls, the jumps that leave it, and the addresses that it takes. It follows
// constants and loads through registers from each call back to the last label.
//
// The decoders are tables and switches of their own because
// golang.org/x/arch/x86/x86asm does not know VEX and EVEX, and gives some
// instructions a wrong length; the tests list them. The amd64 decoder refuses
// what it does not know, because it cannot know the length. Every arm64
// instruction has four bytes, so the arm64 decoder refuses nothing: an
// instruction that it does not know has Op Other and is taken to change the
// registers with the numbers that stand where instructions of its class have them.
//
// # Untrusted code
//
// A Decoder and Analyze accept any bytes. The time they take and the memory of
// the result are proportional to the number of bytes, and to the size of the
// jump tables that they name, each read once.
package code
