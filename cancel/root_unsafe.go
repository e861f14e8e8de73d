package cancel

import (
	"sync/atomic"
	"unsafe"
)

// loadRoot is the root for those who do not hold its lock: who finds it changed finds
// the links changed, too.
func (n *Node) loadRoot() *Node {
	// SAFETY(C1): a *Node is an unsafe.Pointer to a Node.
	return (*Node)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&n.root))))
}
