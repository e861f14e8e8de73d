package leaf

// The owners of queues.
var (
	_ asked = (*Cond)(nil)
	_ asked = (*Event)(nil)
	_ asked = (*WaitGroup)(nil)
	_ asked = (*Semaphore)(nil)
	_ asked = (*RWMutex)(nil)
	_ owner = (*Mutex)(nil)
	_ owner = (*Chan[int])(nil)
)
