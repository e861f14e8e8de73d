//go:build !race

package cancel

// setRoot changes the root, as C1 says. On amd64 a plain store has release order,
// as whoever finds the new root needs; an atomic one would wait for the store
// buffer.
func (n *Node) setRoot(root *Node) { n.root = root }
