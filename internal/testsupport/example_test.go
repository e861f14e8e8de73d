package testsupport_test

import (
	"fmt"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// A package's tests hand their children and leaks over like this:
//
//	var _ = testsupport.Child("crash", func() { panic("on purpose") })
//
//	func TestMain(m *testing.M) { testsupport.Main(m) }
//
//	func TestCrash(t *testing.T) {
//		r := testsupport.RunChild(t, "crash", time.Minute)
//		require.Contains(t, r.Stderr, "on purpose")
//	}
func ExampleTail() {
	fmt.Println(testsupport.Tail("short texts stay as they are"))
	// Output: short texts stay as they are
}
