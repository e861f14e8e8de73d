package ctx

// Spawn runs body as a new task, on the calling goroutine, until it first
// suspends or ends, and returns the task then.
//
// The task is the caller's: it has to be resumed until it is done. A task that is
// dropped while suspended keeps its stack for ever.
//
// Errors: ErrNilBody, *OptionError, ErrStackInUse, and those of
// mmapstack.Pool.Get. The body has not begun then.
func Spawn(body func(t *Task), opts ...Option) (*Task, error) {
	if body == nil {
		return nil, ErrNilBody
	}
	var set settings
	if len(opts) != 0 {
		if err := set.apply(opts); err != nil {
			return nil, err
		}
	}
	id, err := acquire(&set)
	if err != nil {
		return nil, err
	}
	if err := id.ready(); err != nil {
		id.release()
		return nil, err
	}
	t := id.last
	if t == nil || !t.slot.Reusable() {
		t = new(Task)
		id.last = t
	}
	t.body, t.name, t.err = body, set.name, nil
	id.task = t
	id.coro.InheritLabels()
	t.slot.Begin(id.coro, id)
	if err := t.slot.Run(); err != nil {
		id.task, id.last = nil, nil
		id.release()
		return nil, err
	}
	return t, nil
}
