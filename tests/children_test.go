package tests

import (
	"errors"
	"os"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// childRegion is a region for a child's coroutine, never freed; the zero
// Region where there are none.
func childRegion() stackhop.Region {
	r, _ := lentRegion()
	return r
}

// lentRegion is childRegion with what gives it back.
func lentRegion() (r stackhop.Region, free func()) {
	s, err := pool().Get()
	if errors.Is(err, mmapstack.ErrUnsupported) {
		return stackhop.Region{}, func() {}
	}
	if err != nil {
		panic(err)
	}
	return s.Region(), func() { pool().Put(s) }
}

// childKind is which of its variants a child is to be.
func childKind() string { return os.Getenv("STACKHOP_KIND") }

func isMemoryError(err error) bool {
	return errors.Is(err, mmapstack.ErrMemory) || errors.Is(err, mmapstack.ErrUnsupported)
}
