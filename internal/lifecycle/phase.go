package lifecycle

// PhaseClock is told when a phase of an operation begins that is not a step of
// a plan, and gives what is to be called at its end. Phases of one operation
// do not overlap. It is asked for the sake of --timings only.
type PhaseClock func(name string) (end func())

// phase begins a phase; nothing is done where nobody asks for the time.
func (s *Service) phase(name string) (end func()) {
	if s.Phases == nil {
		return func() {}
	}
	return s.Phases(name)
}
