//go:build cgo

package cgo

/*
#cgo LDFLAGS: -lpthread
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

// A library's SIGSEGV handler: it looks after one address of its own, on threads of
// its own, and passes all else on, as such handlers should.
static struct sigaction behind;
static char *volatile watched = (char *)0xdead0000;
static volatile int passed;
static __thread sigjmp_buf back;

static void handler(int sig, siginfo_t *info, void *context) {
	if (info->si_addr == watched)
		siglongjmp(back, 1);
	__atomic_add_fetch(&passed, 1, __ATOMIC_SEQ_CST);
	behind.sa_sigaction(sig, info, context);
}

static int installHandler(void) {
	struct sigaction act;
	memset(&act, 0, sizeof act);
	act.sa_sigaction = handler;
	act.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigfillset(&act.sa_mask);
	return sigaction(SIGSEGV, &act, &behind);
}

static void *faulting(void *rounds) {
	for (long i = 0; i < (long)rounds; i++) {
		if (sigsetjmp(back, 1) == 0) {
			*watched = 1;
			return "no fault";
		}
	}
	return NULL;
}

// faultOnThreads has C threads, of which Go knows nothing, fault at the watched address.
static int faultOnThreads(int n, long rounds) {
	pthread_t t[16];
	int bad = 0;
	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, faulting, (void *)rounds) != 0)
			return -1;
	for (int i = 0; i < n; i++) {
		void *why = NULL;
		if (pthread_join(t[i], &why) != 0 || why != NULL)
			bad++;
	}
	return bad;
}

static int passedOn(void) { return passed; }
*/
import "C"

import "fmt"

// installHandler puts the C library's handler in front of the one that is there.
func installHandler() error {
	if r := C.installHandler(); r != 0 {
		return fmt.Errorf("sigaction: %d", r)
	}
	return nil
}

// faultOnThreads answers on how many threads of C something went wrong.
func faultOnThreads(threads, rounds int) int {
	return int(C.faultOnThreads(C.int(threads), C.long(rounds)))
}

// passedOn counts the faults that the C handler has passed on.
func passedOn() int { return int(C.passedOn()) }
