package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
	reports "github.com/pintle-dev/pintle/internal/ui/report"
	"github.com/spf13/cobra"
)

// pageFlags are those of report.
type pageFlags struct {
	revisionFlags
	form string
	file string
}

func newReport(a *app) *cobra.Command {
	var flags pageFlags
	cmd := &cobra.Command{
		Use:   "report NAME",
		Short: "show what happened to a release as a page with a timeline",
		Long: lines("Writes one page that needs nothing else: the operations on a revision as timelines, a line for each hook, object and test,",
			"with waits and further attempts, why something failed, and the logs folded under each. It is made from the release's",
			"record and ledger, so it can be made long after everything is gone from the cluster.",
			"", "With -o svg it is the picture alone, with -o json the data (see docs/formats/report.md)."),
		Example: lines("  pintle report web -n shop --file report.html", "  pintle report web --revision 7 -o json | jq '.operations[].outcome'"),
		Args:    needs(1, 1, "the name of a release"),
		RunE:    a.run(func(cmd *cobra.Command, args []string) error { return a.writeReport(cmd.Context(), args[0], flags) }),

		ValidArgsFunction: a.releaseName,
	}
	f := cmd.Flags()
	flags.revisionFlags.add(f)
	f.VarP(&choice{value: &flags.form, known: reports.Formats()}, "output", "o", "form of the report: html (the default), svg or json; without it, the ending of --file decides")
	f.StringVar(&flags.file, "file", "", "write the report into this file; - is standard output")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(reports.Formats(), cobra.ShellCompDirectiveNoFileComp))
	a.completeFlags(cmd)
	return cmd
}

// format is the one asked for, or that of the file's name.
func (p *pageFlags) format() reports.Format {
	if p.form != "" {
		return reports.Format(p.form)
	}
	if ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(p.file)), "."); slices.Contains(reports.Formats(), ending) {
		return reports.Format(ending)
	}
	return reports.HTML
}

func (a *app) writeReport(ctx context.Context, name string, flags pageFlags) error {
	form := flags.format()
	if flags.file == "" && a.streams.OutTerminal && form != reports.JSON {
		return asUsage(fmt.Errorf("a report is no sight for a terminal: use --file %s.%s, and open it in a browser", name, form))
	}
	in, err := a.story(ctx, name, flags.revisionFlags)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := reports.New(in).Write(&page, form); err != nil {
		return err
	}
	if flags.file == "" || flags.file == "-" {
		_, err = a.streams.Out.Write(page.Bytes())
		return err
	}
	if err := os.WriteFile(flags.file, page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	_, err = fmt.Fprintf(a.streams.Err, "wrote %s: revision %d of %s\n", flags.file, in.Revision, name)
	return err
}

// story reads a revision, the latest one for 0, and all that its ledger knows.
func (a *app) story(ctx context.Context, name string, revision revisionFlags) (reports.Input, error) {
	in := reports.Input{Release: name}
	if err := revision.check(); err != nil {
		return in, err
	}
	r, err := a.read()
	if err != nil {
		return in, err
	}
	in.Namespace = r.namespace
	book := a.ledger(r.client, r.records)
	rec, err := r.record(ctx, name, revision.revision)
	if errors.Is(err, release.ErrNotFound) {
		return a.goneStory(ctx, book, in, revision.revision, err)
	}
	if err != nil {
		return in, err
	}
	in.Record, in.Revision = rec, rec.Revision
	if in.Story, err = book.ReadStory(ctx, ledger.Wanted{Release: name, Revision: rec.Revision}); err != nil {
		a.warn(err.Error())
	}
	return in, nil
}

// goneStory is what a release that is gone has left in the ledger: of its last
// revision unless one was named.
func (a *app) goneStory(ctx context.Context, book *ledger.Book, in reports.Input, revision int, gone error) (reports.Input, error) {
	story, err := book.ReadStory(ctx, ledger.Wanted{Release: in.Release, Revision: revision, Detached: true})
	for _, r := range story.Runs {
		in.Revision = max(in.Revision, r.Revision)
	}
	for _, c := range story.Courses {
		in.Revision = max(in.Revision, c.Revision)
	}
	if in.Revision == 0 {
		return in, errors.Join(gone, err)
	}
	if err != nil {
		a.warn(err.Error())
	}
	in.Story.Runs = slices.DeleteFunc(story.Runs, func(r ledger.Run) bool { return r.Revision != in.Revision })
	in.Story.Courses = slices.DeleteFunc(story.Courses, func(c ledger.Course) bool { return c.Revision != in.Revision })
	return in, nil
}
