package sched

// PollerKind returns how a Net waits for its sockets in this build: "epoll, raw",
// "epoll, checked" or "none"; and why.
func PollerKind() (kind, why string) { return pollerKind, pollerWhy }
