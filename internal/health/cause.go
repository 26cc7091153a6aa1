package health

// Cause is one node in the tree from an object to what made it fail: a Job
// holds its pods, a pod its containers. The leaves are root causes.
type Cause struct {
	// Subject names what this node speaks of: "Job/ns/name", "Pod/ns/name", "container migrate".
	Subject string
	// Reason is a machine's word such as CrashLoopBackOff; it may be empty.
	Reason string
	// Message says what happened, in one sentence or a few.
	Message string
	// Predicate tells that Message lacks its subject, such as "was killed".
	Predicate bool
	// ExitCode is set for a container that ended.
	ExitCode *int
	// Lines are the last lines of the container's log.
	Lines []string
	// Advice is a next step for people, where there is one.
	Advice   string
	Children []Cause
}

// Sentence is subject and message as one.
func (c Cause) Sentence() string {
	if c.Predicate {
		return c.Subject + " " + c.Message
	}
	return c.Subject + ": " + c.Message
}

// Roots are the leaves of the tree: the causes that no other node explains.
func (c Cause) Roots() []Cause {
	if len(c.Children) == 0 {
		return []Cause{c}
	}
	var out []Cause
	for _, child := range c.Children {
		out = append(out, child.Roots()...)
	}
	return out
}
