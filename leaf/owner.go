package leaf

// The owners of queues.
var (
	_ asked[struct{}] = (*Cond)(nil)
	_ asked[struct{}] = (*Event)(nil)
	_ asked[struct{}] = (*WaitGroup)(nil)
	_ asked[int64]    = (*Semaphore)(nil)
	_ asked[access]   = (*RWMutex)(nil)
	_ owner[struct{}] = (*Mutex)(nil)
	_ owner[int]      = (*Chan[int])(nil)
)
