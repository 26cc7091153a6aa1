package ui

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// hooksVersion is that of the form below; it grows when a reader of the form
// before would be misled, not when a field is added. docs/formats/hooks.md
// describes it.
const hooksVersion = 1

// HooksReport is what `hooks list` and `hooks describe` tell of one revision.
type HooksReport struct {
	Version   int         `json:"version"`
	Release   string      `json:"release"`
	Namespace string      `json:"namespace"`
	Revision  int         `json:"revision"`
	Hooks     []HookStory `json:"hooks"`
}

// HookStory is one hook, and what it did.
type HookStory struct {
	Hook     string                 `json:"hook"`
	Kind     string                 `json:"kind"`
	Object   string                 `json:"object"`
	Events   []release.Event        `json:"events,omitempty"`
	Weight   int                    `json:"weight"`
	Policies []release.DeletePolicy `json:"deletePolicies,omitempty"`
	// Template is the file that rendered it; empty when only the ledger knows the hook.
	Template string      `json:"template,omitempty"`
	Options  HookOptions `json:"options,omitzero"`
	// Last sums up the latest run, all attempts of it.
	Last *HookRun `json:"last,omitempty"`
	// Runs are all attempts, oldest first.
	Runs []HookRun `json:"runs,omitempty"`
}

// HookOptions are what the chart asks for by annotations.
type HookOptions struct {
	Timeout      string `json:"timeout,omitempty"`
	Retries      int    `json:"retries,omitempty"`
	Parallel     bool   `json:"parallel,omitempty"`
	Suite        string `json:"suite,omitempty"`
	Irreversible bool   `json:"irreversible,omitempty"`
	Always       bool   `json:"always,omitempty"`
}

// HookRun is one attempt, or, where it sums up, the last of several.
type HookRun struct {
	Operation ledger.Operation     `json:"operation,omitzero"`
	Event     release.Event        `json:"event,omitempty"`
	Attempt   int                  `json:"attempt"`
	Phase     release.Phase        `json:"phase"`
	Started   time.Time            `json:"started"`
	Ended     time.Time            `json:"ended,omitzero"`
	Seconds   float64              `json:"seconds"`
	Reason    string               `json:"reason,omitempty"`
	Message   string               `json:"message,omitempty"`
	UID       string               `json:"uid,omitempty"`
	Pods      []ledger.Pod         `json:"pods,omitempty"`
	Events    []ledger.ObjectEvent `json:"events,omitempty"`
}

func hookRun(r ledger.Run) HookRun {
	r.Events = slices.SortedStableFunc(slices.Values(r.Events), func(a, b ledger.ObjectEvent) int { return a.Time.Compare(b.Time) })
	return HookRun{
		Operation: r.Operation, Event: r.Event, Attempt: r.Attempt, Phase: r.Phase, Started: r.Started, Ended: r.Ended,
		Seconds: r.Duration().Seconds(), Reason: r.Reason, Message: r.Message, UID: r.UID, Pods: r.Pods, Events: r.Events,
	}
}

// Is tells whether a run is one of that hook.
func (h HookStory) Is(r ledger.Run) bool { return h.Object == r.Object.String() }

// ReportHooks brings a record's hooks together with what they did. A nil
// record, of a release that is gone, leaves the hooks that the runs speak of.
func ReportHooks(rec *release.Release, runs []ledger.Run) HooksReport {
	report := HooksReport{Version: hooksVersion, Hooks: []HookStory{}}
	if rec != nil {
		report.Release, report.Namespace, report.Revision = rec.Name, rec.Namespace, rec.Revision
		for _, h := range rec.Hooks {
			report.Hooks = append(report.Hooks, hookStory(h, rec.Namespace))
		}
	} else if len(runs) > 0 {
		last := runs[len(runs)-1]
		report.Release, report.Namespace, report.Revision = last.Release, last.Namespace, last.Revision
	}
	for _, r := range runs {
		i := slices.IndexFunc(report.Hooks, func(h HookStory) bool { return h.Is(r) })
		if i < 0 {
			i = len(report.Hooks)
			report.Hooks = append(report.Hooks, HookStory{Hook: r.Hook, Kind: r.Object.Kind, Object: r.Object.String(), Weight: r.Weight})
		}
		report.Hooks[i].add(r, rec != nil)
	}
	slices.SortStableFunc(report.Hooks, func(a, b HookStory) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Hook, b.Hook))
	})
	return report
}

func hookStory(h *release.Hook, namespace string) HookStory {
	ref := object.Ref{Kind: h.Kind, Namespace: namespace, Name: h.Name}
	if obj, err := object.Parse(h.Document()); err == nil && obj != nil && obj.GetNamespace() != "" {
		ref.Namespace = obj.GetNamespace()
	}
	o := h.Options()
	story := HookStory{
		Hook: h.Name, Kind: h.Kind, Object: ref.String(), Events: h.Events, Weight: h.Weight, Policies: h.Policies(), Template: h.Path,
		Options: HookOptions{Retries: o.Retries, Parallel: o.Parallel, Suite: o.Suite, Irreversible: o.Irreversible, Always: o.Always},
	}
	if o.Timeout > 0 {
		story.Options.Timeout = o.Timeout.String()
	}
	if run := h.LastRun; !run.StartedAt.IsZero() { // all that is known of a hook that Helm ran
		story.Last = &HookRun{Phase: run.Phase, Started: run.StartedAt, Ended: run.CompletedAt, Seconds: run.CompletedAt.Sub(run.StartedAt).Seconds()}
	}
	return story
}

// add takes in one more attempt, unless it is older than what the record says.
func (h *HookStory) add(r ledger.Run, recorded bool) {
	run := hookRun(r)
	h.Runs = append(h.Runs, run)
	if !recorded && !slices.Contains(h.Events, r.Event) {
		h.Events = append(h.Events, r.Event)
	}
	if h.Last != nil && r.Started.Before(h.Last.Started.Add(-time.Second)) && h.Last.Attempt == 0 {
		return // Helm ran it since
	}
	run.Pods, run.Events = nil, nil
	if before := h.Last; before != nil && before.Operation.ID == run.Operation.ID && before.Event == run.Event {
		run.Seconds += before.Seconds
		run.Started = before.Started
	}
	h.Last = &run
}

// place sorts hooks by their first event.
func (h HookStory) place() int {
	for i, e := range release.Events() {
		if slices.Contains(h.Events, e) {
			return i
		}
	}
	return len(release.Events())
}

// WriteHookList writes `hooks list`: in JSON without the runs' details.
func WriteHookList(w io.Writer, report HooksReport, opts ListOptions) error {
	for i := range report.Hooks {
		report.Hooks[i].Runs = nil
	}
	return WriteAs(w, opts.Format, report, func() string {
		s := style{opts.Color}
		rows := [][]string{headers(s, "HOOK", "EVENTS", "WEIGHT", "DELETED", "LAST RUN", "PHASE", "DURATION", "ATTEMPTS")}
		for _, h := range report.Hooks {
			rows = append(rows, h.cells(s))
		}
		return columns(rows)
	})
}

func (h HookStory) cells(s style) []string {
	cells := []string{h.Kind + "/" + h.Hook, joined(h.Events), strconv.Itoa(h.Weight), joined(h.Policies), "-", "-", "-", "-"}
	if h.Last == nil {
		return cells
	}
	l := *h.Last
	cells[4], cells[5], cells[6] = when(l.Started), s.phase(l.Phase), elapsed(seconds(l.Seconds))
	if l.Attempt > 0 {
		cells[7] = strconv.Itoa(l.Attempt)
	}
	if l.Event != "" {
		cells[4] += " " + string(l.Event)
	}
	return cells
}

func joined[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ",")
}

// when is a time of a past run, in the zone of whoever reads it.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func (s style) phase(p release.Phase) string {
	switch p {
	case release.PhaseSucceeded:
		return s.with(good, string(p))
	case release.PhaseFailed:
		return s.with(bad, string(p))
	}
	return string(p)
}

// Only leaves of the report these hooks and of each the attempt with that
// number of its latest operation; 0 takes the last.
func (r HooksReport) Only(hooks []HookStory, attempt int) HooksReport {
	r.Hooks = []HookStory{}
	for _, h := range hooks {
		runs := h.Runs
		h.Runs = nil
		for _, run := range slices.Backward(runs) {
			if attempt == 0 || run.Attempt == attempt {
				h.Runs = []HookRun{run}
				break
			}
		}
		if len(h.Runs) > 0 {
			r.Hooks = append(r.Hooks, h)
		}
	}
	return r
}

// DescribeOptions steer WriteHookDescriptions.
type DescribeOptions struct {
	Format Format
	Color  bool
}

// describedLines is how many of a container's last lines a description shows.
const describedLines = 10

// WriteHookDescriptions writes `hooks describe`.
func WriteHookDescriptions(w io.Writer, report HooksReport, opts DescribeOptions) error {
	return WriteAs(w, opts.Format, report, func() string {
		var b strings.Builder
		for i, h := range report.Hooks {
			if i > 0 {
				b.WriteByte('\n')
			}
			h.describe(&b, style{opts.Color})
		}
		return b.String()
	})
}

func (h HookStory) describe(b *strings.Builder, s style) {
	fmt.Fprintf(b, "%s\n", s.with(bold, h.Object))
	field := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(b, "  %-16s%s\n", name+":", clean(value))
		}
	}
	field("Events", joined(h.Events))
	field("Weight", strconv.Itoa(h.Weight))
	field("Deleted", joined(h.Policies))
	field("Template", h.Template)
	field("Options", h.Options.text())
	if len(h.Runs) == 0 {
		if h.Last != nil {
			field("Last run", fmt.Sprintf("%s, %s, %s", when(h.Last.Started), h.Last.Phase, elapsed(seconds(h.Last.Seconds))))
		}
		b.WriteString("  The ledger has no run of this hook.\n")
	}
	for _, r := range h.Runs {
		r.describe(b, s)
	}
}

func (o HookOptions) text() string {
	var parts []string
	add := func(yes bool, text string) {
		if yes {
			parts = append(parts, text)
		}
	}
	add(o.Timeout != "", "timeout "+o.Timeout)
	add(o.Retries > 0, retriesText(o.Retries))
	add(o.Parallel, "parallel")
	add(o.Suite != "", "suite "+o.Suite)
	add(o.Irreversible, "irreversible")
	add(o.Always, "always")
	return strings.Join(parts, ", ")
}

func (r HookRun) describe(b *strings.Builder, s style) {
	head := fmt.Sprintf("%s, attempt %d of %s", r.Event, r.Attempt, r.Operation.Name)
	if r.Operation.By != "" {
		head += " by " + r.Operation.By
	}
	fmt.Fprintf(b, "  Run: %s\n    %s  %s, %s\n", clean(head), s.phase(r.Phase), when(r.Started), elapsed(r.Ended.Sub(r.Started)))
	if text := reasonText(r.Reason, r.Message); text != "" {
		fmt.Fprintf(b, "    %s\n", clean(text))
	}
	for _, p := range r.Pods {
		describePod(b, p)
	}
	if len(r.Events) > 0 {
		b.WriteString("    Kubernetes events:\n")
		rows := make([][]string, len(r.Events))
		for i, e := range r.Events {
			rows[i] = []string{"      " + e.Time.Local().Format(time.TimeOnly), e.Type, e.Object.Short(), e.Reason, clean(strings.ReplaceAll(e.Message, "\n", " "))}
		}
		b.WriteString(columns(rows))
	}
}

func describePod(b *strings.Builder, p ledger.Pod) {
	fmt.Fprintf(b, "    Pod %s", p.Name)
	if p.Node != "" {
		fmt.Fprintf(b, " on node %s", p.Node)
	}
	if text := reasonText(p.Reason, p.Message); text != "" {
		fmt.Fprintf(b, ": %s", clean(text))
	}
	b.WriteByte('\n')
	for _, c := range p.Containers {
		kind := "Container"
		if c.Init {
			kind = "Init container"
		}
		fmt.Fprintf(b, "      %s %s: %s\n        image %s\n", kind, c.Name, containerEnd(c), image(c))
		if c.Log.Lines > 0 {
			fmt.Fprintf(b, "        log: %s, %d bytes\n", countOf(c.Log.Lines, "line"), c.Log.Bytes)
		}
		for _, l := range c.Log.Last(describedLines) {
			fmt.Fprintf(b, "        | %s\n", clean(l.Text))
		}
	}
}

// containerEnd says how a container ended.
func containerEnd(c ledger.Container) string {
	text := fmt.Sprintf("exit code %d", c.ExitCode)
	if c.ExitCode < 0 {
		text = "did not end"
	}
	if c.Signal > 0 {
		text += fmt.Sprintf(", signal %d", c.Signal)
	}
	if c.Restarts > 0 {
		text += fmt.Sprintf(", %d restarts", c.Restarts)
	}
	if reason := reasonText(c.Reason, strings.ReplaceAll(strings.TrimSpace(c.Message), "\n", " ")); reason != "" {
		text += " (" + clean(reason) + ")"
	}
	if !c.Ended.IsZero() {
		text += ", after " + elapsed(c.Ended.Sub(c.Started))
	}
	return text
}

func image(c ledger.Container) string {
	if _, digest, ok := strings.Cut(c.ImageID, "@"); ok {
		return c.Image + " (" + digest + ")"
	}
	return c.Image
}

// countOf is "1 line" or "3 lines".
func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func retriesText(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return fmt.Sprintf("%d retries", n)
}
