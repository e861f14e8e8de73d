package guard

import (
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// A Policy says what a stack does when a call does not fit.
type Policy uint8

// The policies; see the package's doc.
const (
	// Strict: a call that does not fit ends the process, with the runtime's words
	//
	//	fatal error: stack size not a power of 2
	//
	// below which stand runtime.stackalloc, runtime.copystack and runtime.newstack, then the
	// frames of the task, the outermost of which is
	// stackhop.coroutineBase_strictStack_overflowIsFatal. No deferred call runs, and
	// nothing can recover from it.
	Strict Policy = iota

	// Growing: the call panics with an *OverflowError.
	Growing
)

func (p Policy) String() string {
	switch p {
	case Strict:
		return "strict"
	case Growing:
		return "growing"
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// PolicyOf returns the policy of s.
func PolicyOf(s *mmapstack.Stack) Policy {
	if s.Region().First != 0 {
		return Growing
	}
	return Strict
}

// NewPool makes a pool of stacks of at least size usable bytes, 0 for the
// default of the policy. For Growing it installs the trap, and first and reserve are
// as mmapstack.WithPoolGrowth gives them by default; an option of that name
// changes them.
//
// Errors: *TrapError for Growing, where the trap cannot be had; *PolicyError; those of
// mmapstack.NewPool.
// On the portable backend the runtime grows stacks, and both policies are alike.
func NewPool(policy Policy, size int, opts ...mmapstack.PoolOption) (*mmapstack.Pool, error) {
	grows, err := prepare(policy)
	if err != nil {
		return nil, err
	}
	if grows {
		opts = append([]mmapstack.PoolOption{mmapstack.WithPoolGrowth(0, 0)}, opts...)
	}
	return mmapstack.NewPool(size, opts...)
}

// New maps a stack for the caller alone, as NewPool does a pool. Errors:
// *TrapError, and those of mmapstack.New.
func New(policy Policy, size int, opts ...mmapstack.Option) (*mmapstack.Stack, error) {
	grows, err := prepare(policy)
	if err != nil {
		return nil, err
	}
	if grows {
		opts = append([]mmapstack.Option{mmapstack.WithGrowth(0, 0)}, opts...)
	}
	return mmapstack.New(size, opts...)
}

func prepare(policy Policy) (grows bool, err error) {
	if policy > Growing {
		return false, &PolicyError{policy}
	}
	if policy != Growing || stackhop.Backend().Name == "portable" {
		return false, nil
	}
	return true, Install()
}
