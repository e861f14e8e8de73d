package mmapstack

import "sync"

// A guardKind is a way to make a gap inaccessible.
type guardKind uint8

const (
	guardNone     guardKind = iota
	guardMprotect           // the slab is mapped without access, stacks are opened one by one
	guardMadvise            // the slab is mapped for access, gaps are closed one by one
)

func (g guardKind) String() string {
	switch g {
	case guardMprotect:
		return "mprotect"
	case guardMadvise:
		return "MADV_GUARD_INSTALL"
	}
	return "none"
}

var probed = sync.OnceValues(probeGuard)

func probedGuard() guardKind {
	g, _ := probed()
	return g
}

// GuardKind returns how guards of mapped stacks are made in this process,
// "MADV_GUARD_INSTALL", "mprotect" or "none", and why.
func GuardKind() (kind, why string) {
	g, why := probed()
	return g.String(), why
}
