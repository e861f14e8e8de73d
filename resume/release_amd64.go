//go:build !race

package resume

// storeRelease stores v so that whoever loads it atomically also sees what was
// stored before. On amd64 every store has release order (TSO), and the
// compiler keeps the order of stores. atomic.StoreUint64 would be an XCHG, which
// waits for the store buffer: as dear as the switch itself.
func storeRelease(p *uint64, v uint64) { *p = v }
