package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui/report"
)

func write(t *testing.T, in report.Input, f report.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.New(in).Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// outline is a report as text: a line for each lane, times from the start of
// the operation.
func outline(r *report.Report) []string {
	var out []string
	for _, o := range r.Operations {
		out = append(out, fmt.Sprintf("%s %s %s, %gs", o.Name, o.Outcome, o.Source, o.Seconds))
		for _, l := range o.Lanes {
			line := fmt.Sprintf("  %s: %s %s", l.Block, l.Name, l.Outcome)
			if l.Flaky {
				line += " flaky"
			}
			for _, b := range l.Bars {
				line += fmt.Sprintf(" [%s %g-%g %s]", b.Kind, b.Started.Sub(o.Started).Seconds(), b.Ended.Sub(o.Started).Seconds(), b.Text)
			}
			out = append(out, line)
		}
	}
	return out
}

func TestLanes(t *testing.T) {
	want := []string{
		"upgrade failed course, 91s",
		"  pre-upgrade: Job/storefront-backup done [wait 0.05-1.25 waiting for its pod to start] [run 1.25-6.4 succeeded] [change 24.8-25.4 deleted]",
		"  pre-upgrade: Job/storefront-migrate done flaky [wait 6.4-7.6 waiting for its pod to start] [run 7.6-14.9 attempt 1 failed: BackoffLimitExceeded] " +
			"[wait 16.1-17.3 waiting for its pod to start] [run 17.3-24.8 attempt 2 succeeded]",
		"  apply: ConfigMap (9) done [change 25.4-25.5 configured]",
		"  apply: Deployment/storefront-web done [change 25.5-25.6 configured] [wait 25.7-30.1 0 of 3 updated replicas are ready] [wait 30.1-38.5 2 of 3 updated replicas are ready]",
		"  apply: Deployment/storefront-cart failed [change 25.5-25.62 configured] [wait 25.7-29 0 of 2 updated replicas are ready] [wait 29-91 image shop/cart:2.4.1 cannot be pulled: not found]",
		"  apply: Service/storefront unchanged",
		"  post-upgrade: Job/storefront-notify skipped",
		"test done course, 6.3s",
		"  test: Job/storefront-smoke done flaky [wait 0.1-1.3 waiting for its pod to start] [run 1.3-3 attempt 1 failed: BackoffLimitExceeded] " +
			"[wait 4-5.2 waiting for its pod to start] [run 5.2-6 attempt 2 succeeded]",
	}
	if diff := cmp.Diff(want, outline(report.New(failedUpgrade()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWithoutTheEnd: a run of Pintle that was killed leaves runs and no course.
func TestWithoutTheEnd(t *testing.T) {
	in := failedUpgrade()
	in.Story.Courses = nil
	got := outline(report.New(in))
	if got[0] != "upgrade unknown runs, 24.8s" || !strings.HasPrefix(got[2], "  pre-upgrade: Job/storefront-migrate done flaky") {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
	if page := write(t, in, report.HTML); !strings.Contains(page, "The end of this operation was not stored") {
		t.Error("the page does not say so")
	}
}

// TestRecordAlone: what Helm did has no ledger.
func TestRecordAlone(t *testing.T) {
	in := failedUpgrade()
	in.Story = ledger.Story{}
	in.Record.Hooks = []*release.Hook{
		{Name: "migrate", Kind: "Job", Events: []release.Event{release.PreUpgrade}, LastRun: release.Execution{StartedAt: at(1), CompletedAt: at(3), Phase: release.PhaseSucceeded}},
		{Name: "never", Kind: "Job", Events: []release.Event{release.PostDelete}},
	}
	want := []string{"release unknown record, 2s", "  pre-upgrade: Job/migrate done [run 0-2 Succeeded]"}
	if diff := cmp.Diff(want, outline(report.New(in))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	in.Record.Hooks = nil
	if page := write(t, in, report.HTML); !strings.Contains(page, "Nothing is known of what happened") {
		t.Error("an empty page does not say why")
	}
}

func TestNothingOfAContainerIsMarkup(t *testing.T) {
	in := failedUpgrade()
	in.Record.Info.Description, in.Story.Courses[0].Steps[1].Note = evil, evil
	in.Release = "store<front"
	for _, f := range []report.Format{report.HTML, report.SVG} {
		text := write(t, in, f)
		if strings.Contains(text, "<script") || strings.ContainsAny(text, "\x00\x1b") || strings.Contains(text, "store<front") {
			t.Errorf("%s lets markup or control characters through", f)
		}
	}
	if page := write(t, in, report.HTML); !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the text of the log is not there")
	}
}

// TestNoRequests: neither page nor picture refers to anything outside.
func TestNoRequests(t *testing.T) {
	outside := regexp.MustCompile(`(?i)(src|href|action|data|poster|srcset)\s*=\s*"[^#"]|url\(|@import|<link|<script|<iframe`)
	for _, f := range []report.Format{report.HTML, report.SVG} {
		text := write(t, failedUpgrade(), f)
		if found := outside.FindString(text); found != "" {
			t.Errorf("%s has %q", f, found)
		}
	}
}

func TestPictureIsXML(t *testing.T) {
	in := failedUpgrade()
	in.Story.Courses[0].Steps[14].Note = evil
	d := xml.NewDecoder(strings.NewReader(write(t, in, report.SVG)))
	bars := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars < 12 {
		t.Errorf("it shows %d bars", bars)
	}
}

func TestJSONIsVersioned(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(write(t, failedUpgrade(), report.JSON)), &got); err != nil {
		t.Fatal(err)
	}
	if got["version"] != 1.0 || got["release"] != "storefront" || got["revision"] != 7.0 || len(got["operations"].([]any)) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := report.New(failedUpgrade()).Write(io.Discard, "pdf"); err == nil {
		t.Error("pdf was written")
	}
}

// TestWhatComesAfterTheContainersEnd: controllers take their time to notice.
func TestWhatComesAfterTheContainersEnd(t *testing.T) {
	op := ledger.Operation{ID: "x", Name: "upgrade", Started: noon}
	r := attempt(op, release.PreUpgrade, "slow", 1, 0, 10, 0)
	r.Pods[0].Containers[0].Ended = at(4)
	got := outline(report.New(report.Input{Release: "storefront", Revision: 7, Story: ledger.Story{Runs: []ledger.Run{r}}}))
	want := "  pre-upgrade: Job/slow done [wait 0-1.2 waiting for its pod to start] [run 1.2-4 succeeded] [wait 4-10 waiting for its end to be noticed]"
	if got[1] != want {
		t.Errorf("got:\n%s\nwant:\n%s", got[1], want)
	}
}
