package plan

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
)

// String is the plan as indented text: a line for each step, under a heading
// for each block; steps of one stage that may run side by side are marked "|".
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s in %s, revision %d\n", p.Operation, p.Release, p.Namespace, p.Revision)
	block := ""
	for i, s := range p.Steps {
		if s.Block != block {
			block = s.Block
			fmt.Fprintf(&b, "%s:\n", block)
		}
		mark := " "
		if together := i > 0 && p.Steps[i-1].Stage == s.Stage || i+1 < len(p.Steps) && p.Steps[i+1].Stage == s.Stage; together {
			mark = "|"
		}
		fmt.Fprintf(&b, "  %s %s (%s)", mark, Words(s.Action), s.Reason)
		if s.Always {
			b.WriteString(" always")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Words say in a few words what an action does.
func Words(a Action) string {
	switch a := a.(type) {
	case WriteRecord:
		return fmt.Sprintf("record revision %d as %s", a.Release.Revision, a.Status)
	case DeleteRecord:
		return fmt.Sprintf("forget revision %d", a.Release.Revision)
	case CreateNamespace:
		return "create namespace " + a.Name
	case Apply:
		return fmt.Sprintf("%s %s", a.Change, object.RefOf(a.Object))
	case Delete:
		return "delete " + a.Ref.String()
	case Keep:
		return fmt.Sprintf("keep %s: %s", a.Ref, a.Why)
	case Await:
		return a.Verb() + ": " + names(a.Subjects())
	case RunHook:
		return hookWords(a)
	case SkipHook:
		return "leave out " + a.Ref.String()
	case CleanHook:
		return fmt.Sprintf("delete %s if %s", a.Ref, policyWords(a))
	default:
		return fmt.Sprintf("%T", a)
	}
}

func hookWords(a RunHook) string {
	verb := "run"
	if a.InPlace {
		verb = "apply"
	}
	text := fmt.Sprintf("%s %s", verb, object.RefOf(a.Object))
	var extra []string
	if a.Hook.Weight != 0 {
		extra = append(extra, fmt.Sprintf("weight %d", a.Hook.Weight))
	}
	if a.Replace {
		extra = append(extra, "replacing what is there")
	}
	if a.Retries > 0 {
		extra = append(extra, fmt.Sprintf("%d retries", a.Retries))
	}
	if len(extra) > 0 {
		text += ", " + strings.Join(extra, ", ")
	}
	return text
}

func policyWords(a CleanHook) string {
	var out []string
	for _, p := range a.Policies {
		switch p {
		case "hook-succeeded":
			out = append(out, "it succeeded")
		case "hook-failed":
			out = append(out, "it failed")
		}
	}
	return strings.Join(out, " or ")
}

func names(refs []object.Ref) string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Short()
	}
	return strings.Join(out, ", ")
}
