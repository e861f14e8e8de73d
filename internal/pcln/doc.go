// Package pcln reads the function table of a linked Go program: for each
// function its text, its name, its frame, and the source of each instruction.
//
// The linker writes that table, the pclntab, for the runtime, which needs it to
// unwind stacks. So it is in every program, in one without symbols and DWARF
// (-ldflags="-s -w", strip) too, in position-independent executables, in
// plugins and in C shared libraries. Package pcln reads the pclntab of Go 1.25,
// 1.26 and 1.27 in ELF files for linux/amd64 and linux/arm64.
//
// # Terminology
//
// The depth at an instruction is the number of bytes that SP is below its value
// at the function's entry. On amd64 SP then points to the return address, which
// the caller has pushed. On arm64 the return address is in a register, and a
// function that calls another stores it within its own depth.
//
// A span is a range of instructions with one value: a depth, a line, the number
// of a file. A span table has the spans of one function in the order of
// addresses. It may end before the function does, because padding follows.
//
// Functions of C are in the table too if Go's linker has linked them. They have
// neither depths nor lines.
//
// A frame is a function that is active at an instruction: the function that
// has it in its text, and each function inlined there.
//
// # Untrusted files
//
// Parse checks every table once. It returns an error, which Is
// [ErrFormat], if something does not fit, so the methods of what it returns have
// nothing to report. The time Parse takes and the memory of the result are
// proportional to the size of the file.
package pcln
