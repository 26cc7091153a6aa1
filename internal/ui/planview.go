package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// PlanOptions steer WritePlan.
type PlanOptions struct {
	Color bool
	// Reasons adds why each step is in the plan.
	Reasons bool
}

// WritePlan writes a plan as indented text: blocks in order, a line for each
// step, steps that may run side by side under one number. It is made for
// people and for tests, not for programs.
func WritePlan(w io.Writer, p *plan.Plan, opts PlanOptions) error {
	s := style{opts.Color}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, revision %d, namespace %s\n", p.Operation, p.Release, p.Revision, p.Namespace)
	if len(p.Steps) == 0 {
		b.WriteString("  nothing to do\n")
	}
	block, stage := "", -1
	for _, step := range p.Steps {
		if step.Block != block {
			block = step.Block
			fmt.Fprintf(&b, "  %s\n", s.with(bold, block))
		}
		number := "   "
		if step.Stage != stage {
			stage = step.Stage
			number = fmt.Sprintf("%2d.", stage+1)
		}
		fmt.Fprintf(&b, "   %s %s\n", number, stepText(p, step, opts, s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func stepText(p *plan.Plan, step plan.Step, opts PlanOptions, s style) string {
	text := actionText(p, step.Action)
	if step.Always {
		text += ", even after a failure"
	}
	if opts.Reasons && step.Reason != "" {
		text += "  " + s.with(faint, "# "+step.Reason)
	}
	return text
}

// actionText is a step in words.
func actionText(p *plan.Plan, action plan.Action) string {
	n := &narrator{plan: p}
	switch a := action.(type) {
	case plan.WriteRecord:
		verb := "record"
		if a.Create {
			verb = "record new"
		}
		return fmt.Sprintf("%s revision %d as %s", verb, a.Release.Revision, a.Status)
	case plan.DeleteRecord:
		return fmt.Sprintf("forget revision %d", a.Release.Revision)
	case plan.CreateNamespace:
		return "create Namespace/" + a.Name + " unless it exists"
	case plan.Apply:
		return applyText(a, n.name(object.RefOf(a.Object)))
	case plan.Delete:
		return "delete " + n.name(a.Ref) + awaited(a.Await, a.Timeout)
	case plan.Keep:
		return fmt.Sprintf("keep %s (%s)", n.name(a.Ref), a.Why)
	case plan.Await:
		return awaitText(n, a)
	case plan.RunHook:
		return hookText(n, a)
	case plan.SkipHook:
		return "leave out " + n.name(a.Ref)
	case plan.CleanHook:
		return fmt.Sprintf("clean up %s (%s)", n.name(a.Ref), policies(a.Policies))
	}
	return fmt.Sprintf("%T", action)
}

func applyText(a plan.Apply, name string) string {
	switch {
	case a.Change == plan.Unchanged:
		return "leave " + name + " as it is"
	case a.Force && a.Change != plan.Adopt:
		return string(a.Change) + " " + name + ", taking over fields of others"
	}
	return string(a.Change) + " " + name
}

func awaited(await bool, timeout time.Duration) string {
	if !await {
		return ""
	}
	return ", await its end" + within(timeout)
}

func within(timeout time.Duration) string {
	if timeout <= 0 {
		return ""
	}
	return " within " + timeout.String()
}

func awaitText(n *narrator, a plan.Await) string {
	var parts []string
	if len(a.Objects) > 0 || len(a.Remains) == 0 {
		parts = append(parts, fmt.Sprintf("wait until %s%s: %s", a.Goal, within(a.Timeout), n.names(a.Objects)))
	}
	if len(a.Remains) > 0 {
		parts = append(parts, "keep in the ledger what was done by "+n.names(plan.Await{Remains: a.Remains}.Subjects()))
	}
	text := strings.Join(parts, "; ")
	if a.Jobs {
		text += " (Jobs complete)"
	}
	return text
}

func (n *narrator) names(refs []object.Ref) string {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = n.name(ref)
	}
	return strings.Join(names, ", ")
}

func hookText(n *narrator, a plan.RunHook) string {
	verb := "run"
	if !runs(object.RefOf(a.Object)) {
		verb = "apply"
	}
	text := verb + " " + n.name(object.RefOf(a.Object))
	var notes []string
	if a.Hook != nil {
		notes = append(notes, fmt.Sprintf("weight %d", a.Hook.Weight))
	}
	if a.Replace {
		notes = append(notes, "replacing what is there")
	}
	if a.InPlace {
		notes = append(notes, "in place")
	}
	if a.Timeout > 0 {
		notes = append(notes, "timeout "+a.Timeout.String())
	}
	if a.Retries > 0 {
		notes = append(notes, "up to "+retriesText(a.Retries))
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return text
}

func policies(list []release.DeletePolicy) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}
