package sched

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stackhop/stackhop/ctx"
)

// failures are the errors of a scheduler's tasks that nobody has seen yet.
type failures struct {
	mu     sync.Mutex
	notify func(error)
	errs   []error
	more   int // that errs had no room for
}

// maxFailures is how many errors are kept.
const maxFailures = 64

// setNotify has f called for errors instead of keeping them.
func (f *failures) setNotify(notify func(error)) {
	f.mu.Lock()
	f.notify = notify
	f.mu.Unlock()
}

// ended notes how a task ended.
func (f *failures) ended(err error) {
	if err == nil || err == ctx.ErrGoexit {
		return
	}
	if _, cancelled := err.(*ctx.CancelError); !cancelled {
		f.add(err)
	}
}

func (f *failures) add(err error) {
	f.mu.Lock()
	notify := f.notify
	switch {
	case notify != nil:
	case len(f.errs) < maxFailures:
		f.errs = append(f.errs, err)
	default:
		f.more++
	}
	f.mu.Unlock()
	if notify != nil {
		notify(err)
	}
}

// take returns all that was kept as one error, and keeps it no more.
func (f *failures) take() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.errs
	if f.more != 0 {
		errs = append(errs, fmt.Errorf("sched: and %d more tasks failed", f.more))
	}
	f.errs, f.more = nil, 0
	return errors.Join(errs...)
}
