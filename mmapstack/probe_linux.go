package mmapstack

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// unusable returns why the n bytes at addr cannot be written, "" if they can. It
// makes no page resident where /proc/self/maps can be read. Where it cannot,
// because no file descriptor is left or there is no /proc, each page is tried.
func unusable(addr, n uintptr) string {
	maps, err := os.Open("/proc/self/maps")
	if err == nil {
		defer func() { _ = maps.Close() }()
		why, ok := unusableBy(bufio.NewScanner(maps), addr, n)
		if why != "" {
			return why
		}
		if !ok {
			err = os.ErrNotExist
		}
	}
	if page, bad := firstUnreadable(addr, n); bad {
		return fmt.Sprintf("nothing can be read at %#x: a guard, or not mapped; map it with PROT_READ|PROT_WRITE", page)
	}
	if err != nil {
		if page, bad := firstUnwritable(addr, n); bad {
			return fmt.Sprintf("nothing can be written at %#x; map it with PROT_READ|PROT_WRITE", page)
		}
	}
	return ""
}

// unusableBy looks into the lines of /proc/self/maps. ok is false if a line does
// not have the form that proc(5) describes.
func unusableBy(lines *bufio.Scanner, addr, n uintptr) (why string, ok bool) {
	at, end := addr, addr+n
	for lines.Scan() {
		var lo, hi uintptr
		var access string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &lo, &hi, &access); err != nil {
			return "", false
		}
		switch {
		case hi <= at:
			continue
		case lo > at:
			return fmt.Sprintf("nothing is mapped at %#x", at), true
		case !strings.HasPrefix(access, "rw"):
			return fmt.Sprintf("%#x lies in a mapping with access %q (%#x-%#x); map it with PROT_READ|PROT_WRITE", at, access, lo, hi), true
		}
		if at = hi; at >= end {
			return "", true
		}
	}
	if lines.Err() != nil {
		return "", false
	}
	return fmt.Sprintf("nothing is mapped at %#x", at), true
}
