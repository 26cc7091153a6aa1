package plan

import "time"

// HookBefore is what an earlier run of the same revision did of a hook.
type HookBefore struct {
	// UID is that of the object which it created.
	UID string
	// Done tells that the hook succeeded, at these times.
	Done           bool
	Started, Ended time.Time
}

// Finish is the plan for going on with a revision that is recorded as deployed,
// and whose run died while it brought the history up to date. No hook runs any
// more, so none is waited for; what those of dead runs did is gathered all the same.
func Finish(p *Plan) *Plan {
	out := *p
	out.Steps = nil
	for _, s := range p.Steps {
		if a, ok := s.Action.(Await); ok && s.Gathers() && len(a.Remains) > 0 {
			a.Objects = nil
			s.Action, s.Reason = a, gathering(a.Remains)
			out.Steps = append(out.Steps, s)
		}
		if s.Block == BlockRecord {
			out.Steps = append(out.Steps, s)
		}
	}
	return &out
}

// Resume is the plan for going on with a revision whose run died: its record is
// there already, and hooks are known by the id of their step. A hook that had
// succeeded is not run again; one that was running is seen to its end. All other steps
// are as in a new plan, which holds what is left to do.
func Resume(p *Plan, hooks map[string]HookBefore) *Plan {
	out := *p
	out.Steps = make([]Step, len(p.Steps))
	for i, s := range p.Steps {
		switch a := s.Action.(type) {
		case WriteRecord:
			if a.Create {
				a.Create = false
				s.Reason = "the revision is gone on with"
				s.Action = a
			}
		case RunHook:
			if before, known := hooks[s.ID]; known {
				a.Before = &before
				s.Reason += ", gone on with"
				if before.Done {
					s.Reason += ": it has succeeded"
				}
				s.Action = a
			}
		}
		out.Steps[i] = s
	}
	return &out
}
