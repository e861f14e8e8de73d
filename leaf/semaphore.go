package leaf

// A Semaphore has a number of permits, which calls take and give back. Make it
// with NewSemaphore; the zero Semaphore has none. It must not be copied after
// first use.
//
// It is fair: permits go to whoever has waited longest, and one who asks for
// many is not overtaken by others who ask for few.
type Semaphore struct {
	plain
	size, taken int64
	q           queue // num: weights
}

// NewSemaphore makes a semaphore of that many permits. It panics if size is
// negative.
func NewSemaphore(size int64) *Semaphore {
	if size < 0 {
		panic("leaf: NewSemaphore with a negative size")
	}
	return &Semaphore{size: size}
}

// Acquire waits for n permits and takes them. Errors: *WeightError, ErrUnwinding,
// ErrThreadLocked; nothing was taken then.
func (s *Semaphore) Acquire(n int64) error {
	if n < 0 || n > s.size {
		return &WeightError{n, s.size}
	}
	return s.q.await(s, uint64(n))
}

// TryAcquire takes n permits if there are as many and nobody waits, and
// reports whether it did.
func (s *Semaphore) TryAcquire(n int64) bool {
	if n < 0 {
		return false
	}
	s.q.mu.Lock()
	ok := s.grab(n)
	s.q.mu.Unlock()
	return ok
}

// Release gives n permits back and resumes those who can go on with them, first
// come first served. Anybody may call it. It panics if n is negative or more
// than are taken.
func (s *Semaphore) Release(n int64) {
	s.q.mu.Lock()
	if n < 0 || n > s.taken {
		s.q.mu.Unlock()
		panic("leaf: Release of more permits than were acquired")
	}
	s.taken -= n
	s.left()
	s.q.wake()
}

// grab takes n permits for somebody who is in no line.
func (s *Semaphore) grab(n int64) bool {
	if s.size-s.taken < n || !s.q.wait[0].empty() {
		return false
	}
	s.taken += n
	return true
}

func (s *Semaphore) try(n uint64) bool { return s.grab(int64(n)) }

func (s *Semaphore) admit(n *node) bool { return s.grab(int64(n.num)) }

func (s *Semaphore) refuse(n *node) {
	s.taken -= int64(n.num)
	s.left()
}

// left gives what is there to those who are first.
func (s *Semaphore) left() {
	for n := s.q.front(0); n != nil && s.size-s.taken >= int64(n.num); n = s.q.front(0) {
		s.taken += int64(n.num)
		s.q.grant(n)
	}
}
