package tests

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
)

var (
	_ = testsupport.Child("rearm in the reserve", rearmInReserve)
	_ = testsupport.Child("switch in the reserve", switchInReserve)
)

func TestRearmClosesTheReserveBelowABodyThatIsInIt(t *testing.T) {
	needAsm(t)
	testsupport.RunChild(t, "rearm in the reserve", time.Minute).RequireOK(t)
}

func TestSwitchInTheReserveDoesNotLeaveItOpen(t *testing.T) {
	needAsm(t)
	testsupport.RunChild(t, "switch in the reserve", time.Minute).RequireOK(t)
}

// rearmInReserve recovers at the deepest level that there is, again and again, and calls
// deeper from there. After the first time it does not call Rearm, and so the others are
// in the reserve.
func rearmInReserve() {
	left := 5000
	bare(func() {
		again(&left, func() {
			if left < 4999 {
				guard.Rearm()
			}
		})
	})
	fmt.Println("ok")
}

// switchInReserve switches at the deepest level after each overflow, and then where
// the stack is shallow.
func switchInReserve() {
	bare(func() {
		for range 100 {
			left := 2
			again(&left, stackhop.Current().Switch)
			stackhop.Current().Switch()
		}
	})
	fmt.Println("ok")
}

// again recovers from left overflows, in the deepest call that fits, and calls after
// after each.
func again(left *int, after func()) {
	for *left > 0 {
		if !tooDeep(func() { again(left, after) }) {
			return
		}
		*left--
		after()
	}
}

// tooDeep reports whether fn ends with an overflow.
func tooDeep(fn func()) (yes bool) {
	defer func() {
		err, _ := recover().(error)
		yes = errors.Is(err, guard.ErrOverflow)
	}()
	fn()
	return false
}

// bare runs body on a stack of its own that grows, without a task.
func bare(body func()) {
	s, err := guard.New(guard.Growing, 32<<10)
	check(err)
	c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { body() })
	check(err)
	for !c.Done() {
		c.Switch()
	}
	check(s.Close())
}
