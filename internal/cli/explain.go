package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// explain is the one place where errors become words for people: what
// happened, why, and what to do next.
func (a *app) explain(err error) diag.List {
	var list several
	if errors.As(err, &list) {
		var all diag.List
		for _, one := range list {
			all.Add(a.explain(one)...)
		}
		return all
	}
	var usage *usageError
	var failed *lifecycle.Failed
	var none *lifecycle.NoReleaseError
	var pending *lifecycle.PendingError
	var unreachable *kube.UnreachableError
	var busy *lock.BusyError
	var lost *lock.LostError
	switch {
	case errors.As(err, &usage):
		return diag.List{split(err.Error())}
	case errors.As(err, &busy):
		return diag.List{a.explainBusy(busy)}
	case errors.As(err, &failed) && errors.As(err, &lost):
		return diag.List{a.explainLost(failed, lost)}
	case errors.As(err, &failed):
		return diag.List{a.explainFailed(failed)}
	case errors.As(err, &pending):
		return diag.List{a.explainPending(pending)}
	case errors.As(err, &unreachable):
		return diag.List{explainUnreachable(unreachable)}
	case errors.As(err, &none):
		return diag.List{{Summary: none.Error(), Detail: "see `" + a.program() + " list -A` for what there is"}}
	}
	if problems := diag.Problems(err); problems != nil {
		return problems
	}
	if p, ok := explainRequest(err); ok {
		return diag.List{p}
	}
	if interrupted(err) {
		return diag.List{{Summary: "interrupted before anything was touched"}}
	}
	return diag.List{split(err.Error())}
}

// split makes the first line the summary and the others the detail.
func split(text string) diag.Problem {
	summary, detail, _ := strings.Cut(text, "\n")
	return diag.Problem{Summary: summary, Detail: detail}
}

// explainFailed tells how an operation ended, where that left the release, and
// how to go on.
func (a *app) explainFailed(f *lifecycle.Failed) diag.Problem {
	p := diag.Problem{Summary: fmt.Sprintf("%s of %s failed", f.Operation, f.Release)}
	switch {
	case f.Deadline > 0:
		p.Summary = fmt.Sprintf("%s of %s was stopped at its deadline of %s", f.Operation, f.Release, f.Deadline)
	case f.Interrupted:
		p.Summary = fmt.Sprintf("%s of %s was interrupted", f.Operation, f.Release)
	}
	var detail []string
	if f.Cause != nil {
		detail = append(detail, strings.Split(causeText(f.Cause), "\n")...)
	}
	for _, more := range f.Further {
		detail = append(detail, strings.Split(causeText(more), "\n")...)
	}
	detail = append(detail, a.aftermath(f)...)
	p.Detail = strings.Join(detail, "\n")
	return p
}

// causeText is why a step failed, without the mark that an interruption puts
// before it.
func causeText(f *engine.Failure) string {
	text := strings.TrimPrefix(f.Error(), engine.ErrInterrupted.Error()+": ")
	if p, ok := explainRequest(f.Err); ok {
		text = p.Summary
		if p.Detail != "" {
			text += "\n" + p.Detail
		}
	}
	return text
}

// aftermath says where a failure left the release, and what to do next.
func (a *app) aftermath(f *lifecycle.Failed) []string {
	var out []string
	next := func(format string, args ...any) { out = append(out, "next: "+fmt.Sprintf(format, args...)) }
	switch {
	case f.RecordErr != nil:
		out = append(out, "the failure could not be recorded: "+f.RecordErr.Error())
		next("`%s`; its last revision may say that an operation is still under way", a.command("history", f.Release))
	case f.Rollback == lifecycle.RollbackFailed:
		out = append(out, "the rollback failed too: "+f.RollbackErr.Error())
		next("see `%s`, then `%s`", a.command("history", f.Release), a.command("rollback", f.Release))
	case f.Rollback == lifecycle.RolledBack && f.Operation == "install":
		out = append(out, "the release has been removed again")
	case f.Rollback == lifecycle.RolledBack:
		out = append(out, whereItIsNow(f))
		next("see `%s`", a.command("history", f.Release))
	case f.Operation == plan.RunOne:
		out = append(out, "the release is as it was")
		next("see `%s`", a.command("hooks describe", f.Release))
	case f.Operation == "test":
		next("repair it, then `%s` again", a.command("test", f.Release))
	case f.Operation == "uninstall":
		next("`%s` again goes on where this one stopped", a.command("uninstall", f.Release))
	case f.Interrupted && f.Operation == "install":
		next("`%s` goes on; to remove what is there, `%s`", a.command("upgrade", f.Release+" CHART"), a.command("uninstall", f.Release))
	case f.Operation == "install":
		next("repair it and run `%s`; to remove what is there, `%s`", a.command("upgrade", f.Release+" CHART"), a.command("uninstall", f.Release))
	case f.Interrupted:
		next("run it again; %s", a.wayBack(f))
	default:
		next("repair it and run it again; %s", a.wayBack(f))
	}
	return out
}

// wayBack is how to undo what a failed upgrade or rollback has done.
func (a *app) wayBack(f *lifecycle.Failed) string {
	if f.Standing == 0 {
		return fmt.Sprintf("no revision is deployed to go back to; to remove what is there, `%s`", a.command("uninstall", f.Release))
	}
	return fmt.Sprintf("to go back to revision %d, `%s`", f.Standing, a.command("rollback", f.Release))
}

// command is a command line of ours about a release, for the user to repeat.
func (a *app) command(verb, release string) string {
	text := a.program() + " " + verb + " " + release
	if a.global.namespace != "" {
		text += " -n " + a.global.namespace
	}
	return text
}

func (a *app) explainPending(p *lifecycle.PendingError) diag.Problem {
	unlock := a.command("unlock", p.Name)
	detail := []string{"Helm or another run is at work, or one was killed before it could record its end; no lock tells which"}
	if p.StaleAfter > 0 && len(p.Active) == 0 {
		detail = append(detail, fmt.Sprintf("it counts as dead when it has not been touched for %s (--stale-after)", p.StaleAfter))
	}
	detail = append(detail, fmt.Sprintf("next: see `%s`; when you are sure that none is running, `%s`", a.command("history", p.Name), unlock))
	return diag.Problem{Summary: p.Error(), Detail: lines(detail...)}
}

func explainUnreachable(u *kube.UnreachableError) diag.Problem {
	summary := "no cluster reachable at " + u.Target.String()
	if u.Target.Address == "" {
		summary = "no cluster to speak to"
	}
	return diag.Problem{
		Summary: summary,
		Detail:  lines(u.Err.Error(), "next: check --kube-context, --kubeconfig and $KUBECONFIG"),
	}
}

// explainRequest words what the API server refused.
func explainRequest(err error) (diag.Problem, bool) {
	var request *object.RequestError
	if !errors.As(err, &request) {
		return diag.Problem{}, false
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return diag.Problem{Summary: fmt.Sprintf("no answer in time: %s %s", request.Verb, request.Ref)}, true
	case apierrors.IsForbidden(err):
		return diag.Problem{
			Summary: fmt.Sprintf("no permission to %s %s", request.Verb, whatOf(request.Ref)),
			Detail:  request.Err.Error(),
		}, true
	case apierrors.IsUnauthorized(err):
		return diag.Problem{
			Summary: "the API server does not accept who you say you are",
			Detail:  lines(request.Err.Error(), "next: log in again, or check the user of the kubeconfig's context"),
		}, true
	case !strings.Contains(err.Error(), request.Error()):
		// Secret values were taken out of the text around it.
		return split(err.Error()), true
	}
	return diag.Problem{Summary: request.Error()}, true
}

// whatOf names an object, or all of a kind where no name is known.
func whatOf(ref object.Ref) string {
	switch {
	case ref.Name != "":
		return ref.String()
	case ref.Namespace != "":
		return fmt.Sprintf("%s in namespace %s", ref.Kind, ref.Namespace)
	}
	return ref.Kind
}

// whereItIsNow says where an automatic rollback left the release.
func whereItIsNow(f *lifecycle.Failed) string {
	if f.BackTo == 0 {
		return "the release has been rolled back"
	}
	return fmt.Sprintf("the release has been rolled back: it is at revision %d again, as revision %d", f.BackTo, f.BackAs)
}
