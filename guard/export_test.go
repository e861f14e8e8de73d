package guard

// AuxInUse answers how many auxiliary stacks are out of their pools.
func AuxInUse() (n int) {
	for i := range pools {
		for j := range pools[i] {
			if p := pools[i][j].Load(); p != nil {
				n += p.Stats().InUse
			}
		}
	}
	return n
}
