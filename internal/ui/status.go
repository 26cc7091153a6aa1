package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
	"sigs.k8s.io/yaml"
)

// StatusOptions steer WriteStatus.
type StatusOptions struct {
	Format Format
	Color  bool
	// Chart adds the lines of the chart's name and versions (`get all`).
	Chart bool
	// Sources adds values, hooks and manifest (`get all`, dry runs with --debug);
	// Computed are the values with the chart's defaults merged in.
	Sources  bool
	Computed map[string]any
	// Whole has JSON and YAML hold the chart, too, as Helm's install and upgrade do.
	Whole bool
	// Live are the release's live objects by Helm's titles, such as
	// "v1/ConfigMap": JSON and YAML have them where Helm puts them.
	Live map[string][]any
	// DryRun adds hooks and manifest alone.
	DryRun    bool
	HideNotes bool
	// Resources are the live objects, if they were read.
	Resources []Resources
	// Runs are the last runs of the tests, if the ledger has them: what Helm's
	// block does not tell.
	Runs []ledger.Run
}

// Resources is a table of live objects of one kind, as kubectl shows it. Title
// is "v1/Service" and the like.
type Resources struct {
	Title string
	// Rows are the cells, headed by the names of the columns.
	Rows [][]string
}

// WriteStatus writes one release: as Helm's block for people, or the record
// without its chart as JSON or YAML.
func WriteStatus(w io.Writer, r *release.Release, opts StatusOptions) error {
	if opts.Format != Table {
		raw, err := recordJSON(r, opts.Whole)
		if err != nil {
			return fmt.Errorf("writing the record: %w", err)
		}
		if raw, err = withLive(raw, opts.Live); err != nil {
			return fmt.Errorf("writing the live objects: %w", err)
		}
		return WriteAs(w, opts.Format, raw, nil)
	}
	var b strings.Builder
	writeHead(&b, r, opts)
	writeResources(&b, opts.Resources)
	writeTests(&b, r, opts.Runs)
	if opts.Sources {
		if err := writeValues(&b, r, opts.Computed); err != nil {
			return err
		}
	}
	if opts.Sources || opts.DryRun {
		b.WriteString("HOOKS:\n" + hooksText(r))
		fmt.Fprintf(&b, "MANIFEST:\n%s\n", r.Manifest)
	}
	if !opts.HideNotes && r.Info.Notes != "" {
		fmt.Fprintf(&b, "NOTES:\n%s\n", strings.TrimSpace(r.Info.Notes))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeHead(b *strings.Builder, r *release.Release, opts StatusOptions) {
	s := style{opts.Color}
	fmt.Fprintf(b, "NAME: %s\n", r.Name)
	if !r.Info.LastDeployed.IsZero() {
		fmt.Fprintf(b, "LAST DEPLOYED: %s\n", r.Info.LastDeployed.Format(time.ANSIC))
	}
	fmt.Fprintf(b, "NAMESPACE: %s\nSTATUS: %s\nREVISION: %d\n", r.Namespace, s.status(string(r.Info.Status)), r.Revision)
	if opts.Chart {
		meta := r.ChartMetadata()
		fmt.Fprintf(b, "CHART: %s\nVERSION: %s\nAPP_VERSION: %s\n", meta.Name, meta.Version, meta.AppVersion)
	}
	fmt.Fprintf(b, "DESCRIPTION: %s\n", r.Info.Description)
}

func writeResources(b *strings.Builder, tables []Resources) {
	if len(tables) == 0 {
		return
	}
	b.WriteString("RESOURCES:\n")
	for _, t := range tables {
		fmt.Fprintf(b, "==> %s\n%s\n", t.Title, columns(t.Rows))
	}
	b.WriteString("\n")
}

// writeTests is Helm's block of tests, with what the ledger knows beneath
// each. A test that never ran is left out, as Helm does.
func writeTests(b *strings.Builder, r *release.Release, runs []ledger.Run) {
	found := false
	for _, h := range r.Hooks {
		if !h.On(release.Test) {
			continue
		}
		found = true
		if h.LastRun.StartedAt.IsZero() {
			continue
		}
		fmt.Fprintf(b, "TEST SUITE:     %s\nLast Started:   %s\nLast Completed: %s\nPhase:          %s\n",
			h.Name, h.LastRun.StartedAt.Format(time.ANSIC), h.LastRun.CompletedAt.Format(time.ANSIC), h.LastRun.Phase)
		writeRun(b, h, runs)
	}
	if !found {
		b.WriteString("TEST SUITE: None\n")
	}
}

// WriteTests writes the block of tests alone.
func WriteTests(w io.Writer, r *release.Release, runs []ledger.Run) error {
	var b strings.Builder
	writeTests(&b, r, runs)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRun adds the last attempt of a test, which comes last in the runs.
// There is nothing to add for what tests only need, unless it failed.
func writeRun(b *strings.Builder, test *release.Hook, all []ledger.Run) {
	var last *ledger.Run
	for i, run := range all {
		if run.Hook == test.Name && run.Object.Kind == test.Kind && run.Event == release.Test {
			last = &all[i]
		}
	}
	if last == nil || !runs(last.Object) && last.Phase == release.PhaseSucceeded {
		return
	}
	fmt.Fprintf(b, "Duration:       %s\n", elapsed(last.Duration()))
	note := ""
	if last.Attempt > 1 && last.Phase == release.PhaseSucceeded {
		note = " (flaky)"
	}
	fmt.Fprintf(b, "Attempts:       %d%s\n", last.Attempt, note)
	if last.Phase == release.PhaseFailed {
		fmt.Fprintf(b, "Reason:         %s\n", clean(reasonText(last.Reason, last.Message)))
	}
}

// reasonText joins a machine's word and a sentence. The word Error adds
// nothing to a sentence.
func reasonText(reason, message string) string {
	switch {
	case message == "":
		return reason
	case reason == "" || reason == "Error" || strings.Contains(message, reason):
		return message
	default:
		return reason + ": " + message
	}
}

func writeValues(b *strings.Builder, r *release.Release, computed map[string]any) error {
	for _, v := range []struct {
		title  string
		values map[string]any
	}{{"USER-SUPPLIED VALUES:", r.Config}, {"COMPUTED VALUES:", computed}} {
		text, err := yaml.Marshal(v.values)
		if err != nil {
			return fmt.Errorf("writing values: %w", err)
		}
		fmt.Fprintf(b, "%s\n%s\n", v.title, text)
	}
	return nil
}

func hooksText(r *release.Release) string {
	var b strings.Builder
	for _, h := range r.Hooks {
		fmt.Fprintf(&b, "---\n# Source: %s\n%s\n", h.Path, h.Manifest)
	}
	return b.String()
}

// WriteHooks writes `get hooks`.
func WriteHooks(w io.Writer, r *release.Release) error {
	_, err := io.WriteString(w, hooksText(r))
	return err
}

// WriteManifest writes `get manifest`.
func WriteManifest(w io.Writer, r *release.Release) error {
	_, err := io.WriteString(w, r.Manifest+"\n")
	return err
}

// WriteNotes writes `get notes`; nothing where there are none.
func WriteNotes(w io.Writer, r *release.Release) error {
	if r.Info.Notes == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "NOTES:\n%s\n", r.Info.Notes)
	return err
}

// ValuesOptions steer WriteValues.
type ValuesOptions struct {
	Format Format
	// Computed says that the values have the chart's defaults merged in.
	Computed bool
}

// WriteValues writes `get values`.
func WriteValues(w io.Writer, values map[string]any, opts ValuesOptions) error {
	return WriteAs(w, opts.Format, values, func() string {
		title := "USER-SUPPLIED VALUES:"
		if opts.Computed {
			title = "COMPUTED VALUES:"
		}
		text, err := yaml.Marshal(values)
		if err != nil {
			return fmt.Sprintf("%s\n# %v\n", title, err)
		}
		return title + "\n" + string(text)
	})
}
