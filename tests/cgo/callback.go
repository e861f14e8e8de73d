package cgo

// extern void stackhopTestCallback(int);
//
// static void callBack(int arg) { stackhopTestCallback(arg); }
//
// static int deepC(int n) {
//	volatile char frame[1024];
//	frame[n % 1024] = (char)n;
//	return n == 0 ? 0 : deepC(n - 1) + (frame[n % 1024] == (char)n);
// }
import "C"

// callback is what C calls, in a cgo callback on the calling goroutine. Tests
// that set it do not run in parallel.
var callback func(arg int)

//export stackhopTestCallback
func stackhopTestCallback(arg C.int) { callback(int(arg)) }

// throughC calls fn from C, n times, one call of C for each.
func throughC(n int, fn func(arg int)) {
	old := callback
	defer func() { callback = old }()
	callback = fn
	for i := range n {
		C.callBack(C.int(i))
	}
}

// deepC uses some KiB of C stack, and returns n.
func deepC(n int) int { return int(C.deepC(C.int(n))) }
