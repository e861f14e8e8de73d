package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// openFiles raises the number of files that the process may have open, as far
// as the hard limit lets it.
func openFiles(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit: %w", err)
	}
	if limit.Cur >= n {
		return nil
	}
	limit.Cur = min(n, limit.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	if limit.Cur < n {
		return fmt.Errorf("at most %d files can be open, %d were wanted: clients beyond that wait until others hang up; raise ulimit -Hn",
			limit.Cur, n)
	}
	return nil
}
