// Package testsupport holds what several test packages need: children, which
// are functions of the test binary that run in a process of their own (for
// tests whose subject may end the process, and for settings that hold for a
// whole process); the go command as a checker of profiles and traces; and a
// check for leaked coroutines after the last test.
package testsupport
