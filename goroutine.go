package stackhop

// GoroutineKey returns a number that identifies the calling goroutine as long as
// it lives: a key for a table that has an entry only while the goroutine is in a
// certain call. A later goroutine may have the same number.
func GoroutineKey() uintptr { return goroutineID() }
