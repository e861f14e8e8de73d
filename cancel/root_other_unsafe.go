//go:build !amd64 || !linux || race

package cancel

import (
	"sync/atomic"
	"unsafe"
)

// setRoot changes the root, as C1 says.
func (n *Node) setRoot(root *Node) {
	// SAFETY(C1): a *Node is an unsafe.Pointer to a Node.
	atomic.StorePointer((*unsafe.Pointer)(unsafe.Pointer(&n.root)), unsafe.Pointer(root))
}
