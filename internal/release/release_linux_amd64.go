//go:build !race

package release

// Store32 stores v.
func Store32(p *uint32, v uint32) { *p = v }

// Store64 stores v.
func Store64(p *uint64, v uint64) { *p = v }
