//go:build !race

package ctx

// setTask makes t the identity's task. On amd64 a plain store has release order,
// as whoever loads it with currentTask needs; an atomic one would wait for the
// store buffer.
func (id *identity) setTask(t *Task) { id.task = t }
