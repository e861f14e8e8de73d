//go:build !amd64 || race

package resume

import "sync/atomic"

// storeRelease stores v so that whoever loads it atomically also sees what was
// stored before.
func storeRelease(p *uint64, v uint64) { atomic.StoreUint64(p, v) }
