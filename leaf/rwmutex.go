package leaf

// An RWMutex is a lock that many readers or one writer may hold. The zero RWMutex
// is unlocked. It must not be copied after first use.
//
// It is fair: the lock goes to whoever has waited longest, and with a reader to
// all readers that come right after it in the line. A reader who comes while
// a writer waits goes behind that; so no goroutine or task may take the lock for
// reading twice.
type RWMutex struct {
	plain
	readers int
	writer  bool
	q       queue
}

type access uint64

const (
	reading access = iota
	writing
)

// Lock waits until the caller is the only one who holds the lock. Errors of
// it and RLock: ErrUnwinding, ErrThreadLocked; the lock is not the caller's then.
func (m *RWMutex) Lock() error { return m.q.await(m, uint64(writing)) }

// RLock waits until only readers hold the lock, and the caller is one.
func (m *RWMutex) RLock() error {
	m.q.mu.Lock()
	if !m.writer && m.q.wait[0].empty() {
		m.readers++
		m.q.mu.Unlock()
		return nil
	}
	m.q.mu.Unlock()
	return m.q.await(m, uint64(reading))
}

// TryLock takes the lock for writing if nobody has it or waits, and reports
// whether it did.
func (m *RWMutex) TryLock() bool { return m.take(writing) }

// TryRLock takes the lock for reading if no writer has it or waits, and
// reports whether it did.
func (m *RWMutex) TryRLock() bool { return m.take(reading) }

func (m *RWMutex) take(a access) bool {
	m.q.mu.Lock()
	ok := m.enter(a)
	m.q.mu.Unlock()
	return ok
}

// Unlock gives up the lock that Lock took, and runs those who are next, one
// after the other, until they suspend or end. It panics if no writer holds the
// lock.
func (m *RWMutex) Unlock() {
	m.q.mu.Lock()
	if !m.writer {
		m.q.mu.Unlock()
		panic("leaf: Unlock of an RWMutex that no writer holds")
	}
	m.writer = false
	m.left()
	m.q.wake()
}

// RUnlock gives up the lock that RLock took; the last reader runs who is next. It
// panics if no reader holds the lock.
func (m *RWMutex) RUnlock() {
	m.q.mu.Lock()
	if m.readers == 0 {
		m.q.mu.Unlock()
		panic("leaf: RUnlock of an RWMutex that no reader holds")
	}
	m.readers--
	if m.q.wait[0].empty() {
		m.q.mu.Unlock()
		return
	}
	m.left()
	m.q.wake()
}

// enter takes the lock for somebody who is in no line.
func (m *RWMutex) enter(a access) bool { return m.q.wait[0].empty() && m.grab(a) }

func (m *RWMutex) grab(a access) bool {
	switch {
	case m.writer || a == writing && m.readers != 0:
		return false
	case a == writing:
		m.writer = true
	default:
		m.readers++
	}
	return true
}

func (m *RWMutex) try(num uint64) bool { return m.enter(access(num)) }

func (m *RWMutex) admit(n *node) bool { return m.enter(access(n.num)) }

func (m *RWMutex) refuse(n *node) {
	if access(n.num) == writing {
		m.writer = false
	} else {
		m.readers--
	}
	m.left()
}

// left lets in those who are first.
func (m *RWMutex) left() {
	for n := m.q.front(0); n != nil && m.grab(access(n.num)); n = m.q.front(0) {
		m.q.grant(n)
	}
}
