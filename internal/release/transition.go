package release

import "slices"

// transitions are the legal changes of one revision's status. A new revision
// starts from the empty status.
var transitions = map[Status][]Status{
	"":              {PendingInstall, PendingUpgrade, PendingRollback},
	PendingInstall:  {Deployed, Failed, Uninstalling},
	PendingUpgrade:  {Deployed, Failed, Uninstalling},
	PendingRollback: {Deployed, Failed, Uninstalling},
	Deployed:        {Superseded, Uninstalling},
	// A failed revision stays one: it never counts as superseded by a later success.
	Failed:     {Uninstalling},
	Superseded: {Uninstalling},
	// A pre-delete hook may refuse: the revision then is again what it was.
	Uninstalling: {Uninstalled, Deployed, Failed, Superseded},
	Uninstalled:  {Superseded},
}

// CanBecome reports whether a revision of status s may get the other status.
// Staying the same is always legal, and so is leaving a status that
// is not known, which records of other tools may have.
func (s Status) CanBecome(next Status) bool {
	legal, known := transitions[s]
	_, target := transitions[next]
	if next == "" || !target {
		return false
	}
	return s == next || !known || slices.Contains(legal, next)
}
