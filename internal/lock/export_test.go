package lock

// Die ends the renewal as the death of the process would.
func (h *Held) Die() { h.end() }

// LifeOf and StartOf are for tests of what /proc says.
var (
	LifeOf  = lifeOf
	StartOf = startOf
)
