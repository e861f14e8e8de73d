//go:build !linux && !darwin && !freebsd

package mmapstack

import "syscall"

func mapMemory(int, bool) ([]byte, error) { return nil, ErrUnsupported }
func unmapMemory([]byte) error            { return ErrUnsupported }
func installGuard([]byte) error           { return ErrUnsupported }
func protectNone([]byte) error            { return ErrUnsupported }
func protectRW([]byte) error              { return ErrUnsupported }
func discard([]byte)                      {}
func discardAll([][]byte)                 {}
func installGuards([][]byte) bool         { return false }
func populate([][]byte) bool              { return false }
func machineMemory() uint64               { return 0 }

func probeGuard() (guardKind, string) { return guardNone, "no mapped stacks on this system" }

func mapLimit() int              { return 1 << 30 }
func mapLimitRemedy(bool) string { return "" }

func mmapRemedy(syscall.Errno) string { return "" }
