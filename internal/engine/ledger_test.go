package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// book is a ledger that takes its time, and fails when it is told to.
type book struct {
	takes time.Duration
	fail  error
	start time.Time
	knows string

	mu    sync.Mutex
	story []string
	runs  []ledger.Run
	ended bool // of the context given
	// courses are those that operations ended with.
	courses []ledger.Course
}

func (b *book) Append(ctx context.Context, runs []ledger.Run) error {
	time.Sleep(b.takes)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = b.ended || ctx.Err() != nil
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = fmt.Sprintf("%s(%d)", r.Hook, r.Attempt)
	}
	b.story = append(b.story, fmt.Sprintf("%s %s", time.Since(b.start).Round(100*time.Millisecond), strings.Join(names, " ")))
	if b.fail == nil {
		b.runs = append(b.runs, runs...)
	}
	return b.fail
}

func (b *book) Begin(context.Context, string, int) {}

func (b *book) Conclude(ctx context.Context, c ledger.Course, runs []ledger.Run) error {
	b.mu.Lock()
	b.courses = append(b.courses, c)
	b.mu.Unlock()
	if len(runs) == 0 {
		return b.fail
	}
	return b.Append(ctx, runs)
}

func (b *book) Detach(_ context.Context, release string, revision int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.story = append(b.story, fmt.Sprintf("detach %s %d", release, revision))
	return b.fail
}

func (b *book) Knows(_ context.Context, _, uid string) (bool, error) { return uid == b.knows, nil }

func (b *book) Read(context.Context, ledger.Wanted) ([]ledger.Run, error) { return b.runs, nil }

// withBook gives a stage a ledger; notices and all text that leaves the engine are collected.
func withBook(b *book, opts engine.Options) (s *stage, told *strings.Builder) {
	s, told = newStage(), &strings.Builder{}
	b.start, opts.Ledger, opts.By = s.start, b, "ann@build"
	var mu sync.Mutex
	s.engine = engine.New(s.Cluster, s.records, time.Now, func(e event.Event) {
		s.sink(e)
		mu.Lock()
		defer mu.Unlock()
		switch e := e.(type) {
		case event.Notice:
			fmt.Fprintf(told, "notice: %s (%s)\n", e.Problem.Summary, e.Problem.Detail)
		case event.LogLine:
			fmt.Fprintf(told, "log: %s\n", e.Line.Text)
			if e.Plain != "" {
				fmt.Fprintf(told, "on the terminal: %s\n", e.Plain)
			}
		case event.ObjectObserved:
			fmt.Fprintf(told, "state: %s\n", e.Status.Message)
		case event.RunFinished:
			fmt.Fprintf(told, "run: %+v %+v\n", e.Run, e.Causes)
		case event.StepFinished:
			fmt.Fprintf(told, "step: %v %+v\n", e.Err, e.Causes)
		}
	}, opts)
	return s, told
}

func TestLedgerIsWrittenOnceForEachEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{takes: 300 * time.Millisecond}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Job/c", kubefake.Run{ExitCode: 1}, kubefake.Run{})
		result := s.install(t, job("a", "pre-install", `, helm.sh/hook-delete-policy: hook-succeeded`)+job("b", "pre-install", "")+
			job("c", "post-install", `, pintle.dev/retries: "1"`)+web, plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !result.OK() {
			t.Fatal(result.Failures[0])
		}
		// a ends after 1 s and b after 2 s, the Deployment is ready after 3 s. The failed
		// attempt of c is written before its Job goes, and waited for.
		if diff := cmp.Diff([]string{"2.3s a(1) b(1)", "4.3s c(1)", "5.6s c(2)"}, b.story); diff != "" {
			t.Errorf("the writes (-want +got):\n%s", diff)
		}
		if took := time.Since(s.start).Round(100 * time.Millisecond); took > 5700*time.Millisecond {
			t.Errorf("the install took %s", took)
		}
		r := b.runs[0]
		if r.Operation.Name != "install" || r.Operation.By != "ann@build" || r.Operation.ID == "" || r.Operation.ID != b.runs[3].Operation.ID {
			t.Errorf("the operation is %+v", r.Operation)
		}
		if len(r.Events) == 0 || r.Events[0].Reason != "SuccessfulCreate" || len(r.Pods) != 1 || r.Phase != release.PhaseSucceeded || r.Ended.IsZero() {
			t.Errorf("the run is %+v", r)
		}
		if f := b.runs[2]; f.Phase != release.PhaseFailed || f.Reason != "BackoffLimitExceeded" || len(f.Events) == 0 {
			t.Errorf("the failed attempt is %+v", f)
		}
	})
}

func TestSlowLedgerDelaysNoHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{takes: 5 * time.Second}
		s, _ := withBook(b, engine.DefaultOptions())
		result := s.install(t, job("a", "pre-install", "")+web+job("b", "post-install", ""), plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !result.OK() {
			t.Fatal(result.Failures[0])
		}
		s.expect(t, `
			0s record revision 1 as pending-install: done
			1s run Job/shop/a, replacing what is there: done
			1s create Deployment/shop/web: done (created)
			2s wait until ready: Deployment/web: done
			3s run Job/shop/b, replacing what is there: done
			3s record revision 1 as deployed: done`)
		if len(b.runs) != 2 {
			t.Errorf("it holds %d runs", len(b.runs))
		}
	})
}

func TestLongEventsAreWrittenMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		docs := ""
		for i := range 4 {
			docs += job(fmt.Sprintf("h%d", i), "pre-install", "")
		}
		s.Runs("Job/*", kubefake.Run{Lasts: 6 * time.Second})
		s.install(t, docs, plan.Options{}, nil)
		if diff := cmp.Diff([]string{"18s h0(1) h1(1) h2(1)", "24s h3(1)"}, b.story); diff != "" {
			t.Errorf("the writes (-want +got):\n%s", diff)
		}
	})
}

func TestLedgerThatCannotBeWrittenIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: &ledger.WriteError{Release: "web", Err: errors.New("exceeded quota")}}
		s, told := withBook(b, engine.DefaultOptions())
		result := s.install(t, job("a", "pre-install", "")+web+job("b", "post-install", ""), plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if !result.OK() {
			t.Fatal(result.Failures[0])
		}
		text := "notice: the ledger of release web could not be written: exceeded quota (the release is not affected"
		if strings.Count(told.String(), "notice:") != 1 || !strings.Contains(told.String(), text) {
			t.Errorf("told:\n%s", told)
		}
		if last := b.story[len(b.story)-1]; !strings.HasSuffix(last, "a(1) b(1)") {
			t.Errorf("the last try was %q", last)
		}
	})
}

func TestRefusedLedgerIsNotTriedAgainWithTheSameRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: &ledger.WriteError{Release: "web", Lasting: true, Err: errors.New("no rights")}}
		s, told := withBook(b, engine.DefaultOptions())
		s.install(t, job("a", "pre-install", "")+web+job("b", "post-install", ""), plan.Options{Wait: true, Timeout: time.Minute}, nil)
		if strings.Count(told.String(), "notice:") != 1 {
			t.Errorf("told:\n%s", told)
		}
		if diff := cmp.Diff([]string{"1s a(1)", "3s b(1)"}, b.story); diff != "" {
			t.Errorf("the writes (-want +got):\n%s", diff)
		}
	})
}

func TestLedgerIsWrittenAfterAnInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{takes: 100 * time.Millisecond}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Job/a", kubefake.Run{Lasts: time.Hour, Lines: []string{"half", "way"}})
		in := plan.Inputs{Next: s.next}
		for _, p := range parse(t, job("a", "pre-install", "")) {
			h, _ := release.ParseHook(p.Document, p.Object)
			in.Hooks = append(in.Hooks, plan.Hook{Hook: h, Object: p.Object})
		}
		ctx, cancel := context.WithCancel(t.Context())
		stop := make(chan struct{})
		go func() {
			time.Sleep(30 * time.Minute)
			close(stop)
			time.Sleep(10 * time.Millisecond)
			cancel() // the second Ctrl-C
		}()
		result := s.engine.Run(ctx, plan.Build(plan.Install, in), stop)
		if !result.Interrupted || len(b.runs) != 1 || b.runs[0].Phase != release.PhaseFailed || b.ended {
			t.Fatalf("interrupted %v, context ended %v, kept %+v", result.Interrupted, b.ended, b.runs)
		}
		if log := b.runs[0].Pods[0].Containers[0].Log; log.Lines != 1 {
			t.Errorf("%d lines are kept", log.Lines)
		}
	})
}

// TestLeftoverThatTheLedgerKnowsIsReplaced: its content is that of no recorded
// revision any more, but one of our runs has created it.
func TestLeftoverThatTheLedgerKnowsIsReplaced(t *testing.T) {
	for uid, ours := range map[string]bool{"left-by-us": true, "of-somebody": false} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := withBook(&book{knows: "left-by-us"}, engine.DefaultOptions())
			const policy = `, helm.sh/hook-delete-policy: hook-succeeded`
			leftover := parse(t, strings.Replace(job("a", "pre-install", policy), "busybox", "other", 1))[0].Object
			leftover.SetUID(types.UID(uid))
			s.Seed(leftover)
			if result := s.install(t, job("a", "pre-install", policy), plan.Options{Timeout: time.Minute}, nil); result.OK() != ours {
				t.Errorf("%s: %v", uid, result.Failures)
			}
		})
	}
}

func TestUninstallKeepsLedgers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{takes: time.Second}
		s, _ := withBook(b, engine.DefaultOptions())
		in := plan.Inputs{Next: s.next, Forget: []*release.Release{s.next}}
		for _, p := range parse(t, job("a", "post-delete", "")) {
			h, _ := release.ParseHook(p.Document, p.Object)
			in.Hooks = append(in.Hooks, plan.Hook{Hook: h, Object: p.Object})
		}
		if result := s.engine.Run(t.Context(), plan.BuildUninstall(in), nil); !result.OK() {
			t.Fatal(result.Failures[0])
		}
		if diff := cmp.Diff([]string{"2s a(1)", "detach web 1"}, b.story); diff != "" {
			t.Errorf("the ledger (-want +got):\n%s", diff)
		}
	})
}

func secret(name, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": "shop"},
		"stringData": map[string]any{"key": value, "other": "other-" + value},
	}}
}

// seeing is a Job whose pod can see Secrets in every way that there is.
const seeing = `---
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: shop, annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-failed}}
spec:
  template:
    spec:
      initContainers: [{name: i, image: x, envFrom: [{secretRef: {name: from}}]}]
      containers: [{name: main, image: x, env: [{name: P, value: plain}, {name: K, valueFrom: {secretKeyRef: {name: one-key, key: key}}}]}]
      volumes: [{name: v, secret: {secretName: volume}}, {name: p, projected: {sources: [{secret: {name: projected}}]}}]
`

func TestSecretsOfTheHooksPodsAreMasked(t *testing.T) {
	values := []string{"value-of-from", "value-of-one-key", "value-of-volume", "value-of-projected", "value-of-late", "value-of-chart"}
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, told := withBook(b, engine.DefaultOptions())
		for _, name := range []string{"from", "one-key", "volume", "projected"} {
			s.Seed(secret(name, "value-of-"+name))
		}
		s.engine.Conceal(secret("chart", "value-of-chart"))
		s.Runs("Job/a", kubefake.Run{
			Starts: time.Second, ExitCode: 1, Message: "died of " + values[2],
			Lines: []string{"see " + values[0], "see " + values[1] + " and other-" + values[1], "see " + values[5] + " " + values[3]},
		})
		result := s.install(t, seeing, plan.Options{Timeout: time.Minute}, nil)
		if len(result.Failures) != 1 {
			t.Fatalf("failures: %v", result.Failures)
		}
		data, err := ledger.Encode(b.runs)
		if err != nil {
			t.Fatal(err)
		}
		kept, _ := ledger.Decode(data)
		all := told.String() + fmt.Sprintf("%+v %v %v", kept, result.Failures[0], result.Failures[0].Causes)
		for _, r := range s.records.stored {
			all += r.Info.Description
		}
		for _, v := range values {
			// Of one-key only the key that the pod asks for is its secret.
			if strings.Contains(strings.ReplaceAll(all, "other-"+values[1], ""), v) {
				t.Errorf("%s is told:\n%s", v, all)
			}
		}
		if !strings.Contains(told.String(), "log: see *** and other-***") || !strings.Contains(all, "died of ***") {
			t.Errorf("told:\n%s", told)
		}
	})
}

func TestSecretThatAppearsAfterTheHookWasCreatedIsMasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, told := withBook(&book{}, engine.DefaultOptions())
		s.Runs("Job/a", kubefake.Run{Starts: time.Minute, Lines: []string{"see value-of-from"}})
		go func() {
			time.Sleep(30 * time.Second)
			s.Seed(secret("from", "value-of-from"))
		}()
		s.install(t, seeing, plan.Options{Timeout: time.Hour}, nil)
		if !strings.Contains(told.String(), "log: see ***") {
			t.Errorf("told:\n%s", told)
		}
	})
}

func TestSecretsThatMayNotBeReadAreNoProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, told := withBook(&book{}, engine.DefaultOptions())
		s.Refuse("get", "Secret/*", apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "from", errors.New("no")), 0)
		s.engine.Conceal(secret("chart", "value-of-chart"))
		s.Runs("Job/a", kubefake.Run{Lines: []string{"see value-of-chart"}})
		if result := s.install(t, seeing, plan.Options{Timeout: time.Hour}, nil); !result.OK() {
			t.Fatal(result.Failures[0])
		}
		if text := told.String(); !strings.Contains(text, "log: see ***") || strings.Contains(text, "notice") {
			t.Errorf("told:\n%s", text)
		}
	})
}

func TestUnmaskShowsLinesAndKeepsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, opts := &book{}, engine.DefaultOptions()
		opts.Unmask = true
		s, told := withBook(b, opts)
		s.engine.Conceal(secret("chart", "value-of-chart"))
		s.Runs("Job/a", kubefake.Run{Lines: []string{"see value-of-chart"}})
		s.install(t, job("a", "pre-install", ""), plan.Options{Timeout: time.Hour}, nil)
		// What is written into files or sent elsewhere is the line, not its plain form.
		if text := told.String(); !strings.Contains(text, "on the terminal: see value-of-chart") || !strings.Contains(text, "log: see ***") {
			t.Errorf("told:\n%s", text)
		}
		if last := b.runs[0].Pods[0].Containers[0].Log.Last(1); last[0].Text != "see ***" {
			t.Errorf("kept %v", last)
		}
	})
}

func TestErrorsOfTheAPIServerAreMasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := withBook(&book{}, engine.DefaultOptions())
		s.engine.Conceal(secret("chart", "value-of-chart"))
		refusal := apierrors.NewBadRequest(`data.key: Invalid value: "value-of-chart"`)
		s.Refuse("patch", "Deployment/web", refusal, 0)
		result := s.install(t, web, plan.Options{}, nil)
		if len(result.Failures) != 1 || strings.Contains(result.Failures[0].Error(), "value-of-chart") || !apierrors.IsBadRequest(result.Failures[0]) {
			t.Errorf("failures: %v", result.Failures)
		}
	})
}

func TestVanishedPodLeavesItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		s, _ := withBook(b, engine.DefaultOptions())
		s.Runs("Job/a", kubefake.Run{Vanishes: true, Lines: []string{"one", "two"}})
		s.Runs("Pod/b", kubefake.Run{Lasts: time.Hour, Lines: []string{"only"}})
		go func() {
			time.Sleep(50 * time.Minute)
			s.Remove(object.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "b"})
		}()
		pod := "---\napiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: shop, annotations: {helm.sh/hook: pre-install}}\n" +
			"spec: {restartPolicy: Never, containers: [{name: main, image: x}]}\n"
		s.install(t, job("a", "pre-install", "")+pod, plan.Options{Timeout: 2 * time.Hour}, nil)
		got := []string{}
		for _, r := range b.runs {
			for _, l := range r.Pods[0].Containers[0].Log.Last(9) {
				got = append(got, r.Hook+": "+l.Text)
			}
		}
		if diff := cmp.Diff([]string{"a: one", "a: two", "b: only"}, got); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
	})
}

// slowLogs is a cluster whose logs come late, a line a second.
type slowLogs struct {
	*kubefake.Cluster
	lines int
}

func (c slowLogs) Follow(ctx context.Context, _ object.Ref, _ string, line func(ledger.Line)) error {
	for i := range c.lines {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		line(ledger.Line{Text: fmt.Sprint(i)})
	}
	return nil
}

// TestLogThatLagsIsReadToItsEnd: the end of a log is what people look for.
func TestLogThatLagsIsReadToItsEnd(t *testing.T) {
	for lines, want := range map[int]int{0: 0, 20: 20, 1000: 31} {
		synctest.Test(t, func(t *testing.T) {
			b := &book{start: time.Now()}
			opts := engine.DefaultOptions()
			opts.Ledger = b
			s := newStage()
			s.engine = engine.New(slowLogs{s.Cluster, lines}, s.records, time.Now, s.sink, opts)
			s.install(t, job("a", "pre-install", ""), plan.Options{Timeout: time.Hour}, nil)
			if got := b.runs[0].Pods[0].Containers[0].Log.Lines; got < want-1 || got > want {
				t.Errorf("of %d lines %d were read after %s", lines, got, time.Since(s.start))
			}
		})
	}
}
