package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hookLogFlags are those of hooks logs.
type hookLogFlags struct {
	revisionFlags
	outputFlags
	attempt    int
	follow     bool
	timestamps bool
}

func newHooksLogs(a *app) *cobra.Command {
	var flags hookLogFlags
	cmd := &cobra.Command{
		Use:   "logs NAME [HOOK]",
		Short: "show the logs of hooks and tests",
		Long: lines("Shows what the containers of hooks and tests have written: from the ledger, or from the pods of a hook that",
			"runs now. Of each hook the last attempt of its latest run is shown. Values of Secrets are masked.",
			"", "As JSON or YAML it is what `hooks describe` tells of those attempts, from the ledger alone."),
		Example: lines("  pintle hooks logs web", "  pintle hooks logs web migrate --revision 3 --attempt 1", "  pintle hooks logs web migrate -f"),
		Args:    needs(1, 2, "the name of a release and, for one hook alone, its name"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.hookLogs(cmd.Context(), args, &flags) }),

		ValidArgsFunction: a.releaseThenHook,
	}
	f := cmd.Flags()
	flags.revisionFlags.add(f)
	flags.outputFlags.add(f)
	f.IntVar(&flags.attempt, "attempt", 0, "the attempt to show, counted from 1; 0 means the last")
	f.BoolVarP(&flags.follow, "follow", "f", false, "go on as long as the hook runs")
	f.BoolVar(&flags.timestamps, "timestamps", false, "show when each line was written")
	a.completeFlags(cmd)
	return cmd
}

func (a *app) hookLogs(ctx context.Context, args []string, flags *hookLogFlags) error {
	if flags.attempt < 0 {
		return asUsage(fmt.Errorf("--attempt must not be negative"))
	}
	if flags.follow && flags.format.value != ui.Table {
		return asUsage(fmt.Errorf("--follow shows lines as they come: leave out --output %s", flags.format.value))
	}
	p, err := a.readPast(ctx, args[0], flags.revisionFlags)
	if err != nil {
		return err
	}
	hooks := p.report().Hooks
	if len(args) == 2 {
		if hooks, err = named(hooks, args[1]); err != nil {
			return err
		}
	}
	if flags.format.value != ui.Table {
		return ui.WriteHookDescriptions(a.streams.Out, p.report().Only(hooks, flags.attempt), ui.DescribeOptions{Format: flags.format.value})
	}
	show := &hookLogs{past: p, flags: flags, out: ui.NewLogWriter(a.streams.Out, ui.LogWriterOptions{
		Times: flags.timestamps, Clean: a.streams.OutTerminal,
	}), several: len(hooks) != 1}
	found := false
	for _, h := range hooks {
		shown, err := show.hook(ctx, h)
		if err != nil {
			return err
		}
		found = found || shown
	}
	switch {
	case found:
		return nil
	case len(args) == 2:
		return fmt.Errorf("hook %s has left no run in the ledger of %s, and none runs now", args[1], p.title())
	}
	fmt.Fprintf(a.streams.Err, "no hook has left a run in the ledger of %s\n", p.title())
	return nil
}

// title names the revision.
func (p *past) title() string {
	if p.record == nil {
		return "release " + p.name
	}
	return fmt.Sprintf("revision %d of %s", p.record.Revision, p.name)
}

// hookLogs shows the logs of some hooks.
type hookLogs struct {
	*past
	flags *hookLogFlags
	out   *ui.LogWriter
	// several tells that more than one hook is shown.
	several bool
	engine  *engine.Engine
}

// hook shows one hook's log; false when it never ran.
func (s *hookLogs) hook(ctx context.Context, h ui.HookStory) (bool, error) {
	run, known := s.choose(h)
	if s.record != nil && s.flags.attempt == 0 && s.flags.revision == 0 {
		if shown, err := s.live(ctx, h, run); shown || err != nil {
			return shown, err
		}
	}
	if !known {
		return false, nil
	}
	containers := 0
	for _, p := range run.Pods {
		containers += len(p.Containers)
	}
	s.out.Prefix(s.several || containers > 1)
	s.out.Run(run)
	return true, nil
}

// choose picks the attempt to show of the latest operation in which the hook ran.
func (s *hookLogs) choose(h ui.HookStory) (ledger.Run, bool) {
	for _, r := range slices.Backward(s.runs) {
		if h.Is(r) && (s.flags.attempt == 0 || r.Attempt == s.flags.attempt) {
			return r, true
		}
	}
	return ledger.Run{}, false
}

// live shows the log from the pods themselves, where the object in the cluster
// is another one than the ledger knows, which means that the hook runs now, or
// where the ledger has not kept all of its log.
func (s *hookLogs) live(ctx context.Context, h ui.HookStory, run ledger.Run) (bool, error) {
	ref, ok := s.runnable(h)
	if !ok {
		return false, nil
	}
	obj, err := s.client.Get(ctx, ref)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if string(obj.GetUID()) == run.UID && !cutShort(run) {
		return false, nil
	}
	s.out.Prefix(s.several)
	l := &liveLog{client: s.client, out: s.out, hook: h.Hook, object: obj, follow: s.flags.follow, masker: s.masking().MaskerFor(ctx, obj)}
	return l.show(ctx)
}

// runnable is the object of a recorded hook that has pods.
func (s *hookLogs) runnable(h ui.HookStory) (object.Ref, bool) {
	for _, rec := range s.record.Hooks {
		obj, err := rec.Parse()
		if err != nil || obj.GetName() == "" {
			continue
		}
		if obj.GetNamespace() == "" {
			obj.SetNamespace(s.record.Namespace)
		}
		if ref := object.RefOf(obj); ref.String() == h.Object {
			return ref, engine.Ends(ref)
		}
	}
	return object.Ref{}, false
}

// masking is an engine that knows the values of the Secrets that the release
// itself has rendered.
func (s *hookLogs) masking() *engine.Engine {
	if s.engine == nil {
		s.engine = engine.New(s.client, s.records, time.Now, func(event.Event) {}, engine.DefaultOptions())
		s.engine.Conceal(rendered(s.record)...)
	}
	return s.engine
}

// rendered are the objects of a record, as far as they can be read.
func rendered(r *release.Release) []*unstructured.Unstructured {
	documents := object.Split(r.Manifest)
	for _, h := range r.Hooks {
		documents = append(documents, h.Document())
	}
	var out []*unstructured.Unstructured
	for _, d := range documents {
		if obj, err := object.Parse(d); err == nil && obj != nil {
			out = append(out, obj)
		}
	}
	return out
}

// cutShort tells that the ledger has not kept all that a run's containers said.
func cutShort(r ledger.Run) bool {
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			if c.Log.Dropped() > 0 {
				return true
			}
		}
	}
	return false
}
