package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// inUTC makes times of the past the same everywhere.
func inUTC(t *testing.T) {
	t.Helper()
	zone := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = zone })
}

// pastHookRun is a run of the record's hooks, half an hour after start for each operation.
func pastHookRun(operation int, e release.Event, r object.Ref, number int, phase release.Phase) ledger.Run {
	began := start.Add(time.Duration(operation)*30*time.Minute + time.Duration(number)*10*time.Second)
	return ledger.Run{
		Release: "storefront", Namespace: "shop", Revision: 3, Event: e, Hook: r.Name, Object: r, Attempt: number, Phase: phase,
		Operation: ledger.Operation{ID: fmt.Sprint(operation), Name: "upgrade", Started: began, By: "ann@build"},
		Started:   began, Ended: began.Add(4 * time.Second), UID: fmt.Sprintf("uid-%d", number),
	}
}

func hookPast() (*release.Release, []ledger.Run) {
	r := record("storefront", 3, release.Deployed)
	r.Hooks[0].Manifest = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {helm.sh/hook: pre-install, pintle.dev/timeout: 10m, pintle.dev/irreversible: 'true'}\n"
	failed := pastHookRun(1, release.PreUpgrade, ref("Job", "migrate"), 1, release.PhaseFailed)
	failed.Reason, failed.Message = "BackoffLimitExceeded", "container main ended with exit code 137"
	failed.Pods = []ledger.Pod{{
		Name: "migrate-x", Namespace: "shop", Node: "n1", Phase: "Failed", Reason: "Evicted", Message: "the disk was full",
		Containers: []ledger.Container{
			{Name: "wait", Init: true, Image: "busybox:1", ExitCode: 0, Reason: "Completed", Started: start, Ended: start.Add(time.Second)},
			{Name: "main", Image: "shop:1", ImageID: "docker.io/shop@sha256:abc", ExitCode: 137, Signal: 9, Reason: "OOMKilled", Restarts: 2,
				Log: logOf("one", "\x1b[31mtwo\x1b[0m")},
			{Name: "side", Image: "proxy:1", ExitCode: -1},
		},
	}}
	failed.Events = []ledger.ObjectEvent{
		{Time: start.Add(time.Minute), Object: ref("Job", "migrate"), Type: "Warning", Reason: "BackoffLimitExceeded", Message: "it failed\ntoo often"},
		{Time: start, Object: ref("Job", "migrate"), Type: "Normal", Reason: "SuccessfulCreate", Message: "created"},
	}
	return r, []ledger.Run{
		failed, pastHookRun(1, release.PreUpgrade, ref("Job", "migrate"), 2, release.PhaseSucceeded),
		pastHookRun(2, release.Test, ref("Pod", "test-web"), 1, release.PhaseSucceeded),
		pastHookRun(2, release.Test, ref("Pod", "gone-since"), 1, release.PhaseFailed),
	}
}

func TestHookList(t *testing.T) {
	inUTC(t)
	golden(t, "hooks-list", shown(t, func(w *strings.Builder) error {
		return WriteHookList(w, ReportHooks(hookPast()), ListOptions{Format: Table})
	}))
}

func TestHookDescriptions(t *testing.T) {
	inUTC(t)
	golden(t, "hooks-describe", shown(t, func(w *strings.Builder) error {
		return WriteHookDescriptions(w, ReportHooks(hookPast()), DescribeOptions{Format: Table})
	}))
	golden(t, "hooks-describe-yaml", shown(t, func(w *strings.Builder) error {
		return WriteHookDescriptions(w, ReportHooks(hookPast()), DescribeOptions{Format: YAML})
	}))
}

func TestHooksOfAReleaseThatIsGone(t *testing.T) {
	_, runs := hookPast()
	report := ReportHooks(nil, runs)
	var got []string
	for _, h := range report.Hooks {
		got = append(got, fmt.Sprintf("%s %v %d runs, %s", h.Object, h.Events, len(h.Runs), h.Last.Phase))
	}
	want := []string{
		"Job/shop/migrate [pre-upgrade] 2 runs, Succeeded", "Pod/shop/gone-since [test] 1 runs, Failed", "Pod/shop/test-web [test] 1 runs, Succeeded",
	}
	if diff := cmp.Diff(want, got); diff != "" || report.Revision != 3 {
		t.Errorf("revision %d (-want +got):\n%s", report.Revision, diff)
	}
}

// TestHelmRanItSince: a record can know of a later run than the ledger.
func TestHelmRanItSince(t *testing.T) {
	r, runs := hookPast()
	r.Hooks[2].LastRun = release.Execution{StartedAt: start.Add(9 * time.Hour), CompletedAt: start.Add(9*time.Hour + time.Second), Phase: release.PhaseFailed}
	for _, h := range ReportHooks(r, runs).Hooks {
		if h.Hook == "test-web" && (h.Last.Phase != release.PhaseFailed || h.Last.Attempt != 0 || len(h.Runs) != 1) {
			t.Errorf("the last run is %+v", h.Last)
		}
	}
}

func TestLogWriter(t *testing.T) {
	_, runs := hookPast()
	log := ledger.Log{Limits: ledger.Limits{Head: 6, Tail: 13}}
	for _, text := range []string{"first", "second", "third", "fourth", "fifth"} {
		log.Add(ledger.Line{Time: start, Text: text})
	}
	runs[0].Pods[0].Containers[2].Log = log
	for name, tc := range map[string]struct {
		opts   LogWriterOptions
		prefix bool
		want   string
	}{
		"plain":  {want: "one\n\x1b[31mtwo\x1b[0m\nfirst\n(2 lines are not kept)\nfourth\nfifth\n"},
		"prefix": {LogWriterOptions{Clean: true}, true, "[migrate/main] one\n[migrate/main] two\n[migrate/side] first\n[migrate/side] (2 lines are not kept)\n[migrate/side] fourth\n[migrate/side] fifth\n"},
		"times":  {LogWriterOptions{Times: true, Clean: true}, false, "2026-11-23T15:00:00.000Z one\n2026-11-23T15:00:01.000Z two\n2026-11-23T15:00:00.000Z first\n(2 lines are not kept)\n2026-11-23T15:00:00.000Z fourth\n2026-11-23T15:00:00.000Z fifth\n"},
	} {
		var out strings.Builder
		w := NewLogWriter(&out, tc.opts)
		w.Prefix(tc.prefix)
		w.Run(runs[0])
		if diff := cmp.Diff(tc.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTestHistory(t *testing.T) {
	inUTC(t)
	runs := ledger.TestRuns([]ledger.Run{
		pastHookRun(1, release.Test, ref("Pod", "web"), 1, release.PhaseSucceeded), pastHookRun(1, release.Test, ref("Job", "db"), 1, release.PhaseFailed),
		pastHookRun(2, release.Test, ref("Job", "db"), 1, release.PhaseFailed), pastHookRun(2, release.Test, ref("Job", "db"), 2, release.PhaseSucceeded),
	})
	opts := TestHistoryOptions{Format: Table, Release: "storefront", Namespace: "shop"}
	golden(t, "test-history", shown(t, func(w *strings.Builder) error { return WriteTestHistory(w, runs, opts) }))
	opts.Format = YAML
	golden(t, "test-history-yaml", shown(t, func(w *strings.Builder) error { return WriteTestHistory(w, runs, opts) }))
	opts.Format = Table
	if got := shown(t, func(w *strings.Builder) error { return WriteTestHistory(w, nil, opts) }); !strings.Contains(got, "no run of tests") {
		t.Errorf("without runs: %q", got)
	}
}
