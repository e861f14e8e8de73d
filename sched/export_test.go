package sched

// TakeOver has another goroutine take s over from the items that run now, as if
// they had held it up for long. HandOver was called before they began.
func TakeOver(s Scheduler) {
	of := s.(watchable)
	for i, r := range of.runners() {
		if word, _ := r.beat.at(); word&beatBusy != 0 {
			of.replace(i, word)
		}
	}
}
