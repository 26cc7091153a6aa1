package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/kube/kubefake"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/lock/locktest"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// always is a hook of every event.
const always = `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgrade,pre-rollback,pre-delete,test"}}
spec: {template: {spec: {containers: [{name: m, image: x}]}}}
`

const listedSecret = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: password}, stringData: {p: hunter22}}
`

// countedBook counts how often it is read, and refuses revisions.
type countedBook struct {
	*ledger.Book
	reads   atomic.Int32
	refuses int
}

func (b *countedBook) Read(ctx context.Context, w ledger.Wanted) ([]ledger.Run, error) {
	b.reads.Add(1)
	return b.Book.Read(ctx, w)
}

func (b *countedBook) Append(ctx context.Context, runs []ledger.Run) error {
	for _, r := range runs {
		if r.Revision == b.refuses {
			return &ledger.WriteError{Release: r.Release, Err: errors.New("a webhook is down")}
		}
	}
	return b.Book.Append(ctx, runs)
}

// withLedger gives the world's service a ledger.
func (w *world) withLedger() *countedBook {
	b := &countedBook{Book: ledger.NewBook(store.NewMemory(), w.records, "shop", time.Now, ledger.DefaultBounds())}
	w.service.Engine.Ledger = b
	return b
}

// told is what the ledger tells of a revision's hooks: event, operation, phase,
// reason and log of each run.
func (b *countedBook) told(t *testing.T, revision int) []string {
	t.Helper()
	var out []string
	for _, detached := range []bool{false, true} {
		runs, err := b.Book.Read(t.Context(), ledger.Wanted{Release: "web", Revision: revision, Detached: detached})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			text := fmt.Sprintf("%s of %s: %s %s", r.Event, r.Operation.ID, r.Phase, r.Reason)
			for _, p := range r.Pods {
				for _, l := range p.Containers[0].Log.Last(10) {
					text += " " + l.Text
				}
			}
			if r.Ended.IsZero() || r.Ended.Before(r.Started) {
				text += fmt.Sprintf(" from %s to %s", r.Started, r.Ended)
			}
			out = append(out, strings.Join(strings.Fields(text), " "))
		}
	}
	return out
}

var migrate = object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: "migrate"}

// leaves creates the Job of a hook as a run of pintle that is gone did.
func (w *world) leaves(t *testing.T, operation string, revision int, event release.Event) *unstructured.Unstructured {
	t.Helper()
	parsed, err := object.Parse(object.Document{Text: always})
	if err != nil {
		t.Fatal(err)
	}
	parsed.SetNamespace("shop")
	mark := ledger.Mark{
		Operation: ledger.Operation{ID: "dead", Name: operation, Started: time.Now()}, Release: "web", Revision: revision, Event: event, Attempt: 1,
	}
	made, err := w.Create(t.Context(), object.WithRunMark(parsed, mark.String()), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// burial is an operation that comes after a run was killed.
type burial struct {
	operation string
	revision  int
	status    release.Status
	event     release.Event
	// next does the operation that buries it.
	next func(t *testing.T, w *world, dir string) error
}

func burials() map[string]burial {
	patient := func(o *lifecycle.DeployOptions) { o.Plan.Timeout = 5 * time.Minute }
	upgrade := func(t *testing.T, w *world, dir string) error {
		_, err := w.deploy(t, plan.Upgrade, dir, patient)
		return err
	}
	return map[string]burial{
		"an upgrade": {"upgrade", 2, release.PendingUpgrade, release.PreUpgrade, upgrade},
		"an upgrade, by a rollback": {"upgrade", 2, release.PendingUpgrade, release.PreUpgrade, func(t *testing.T, w *world, _ string) error {
			_, err := w.service.Rollback(t.Context(), lifecycle.RollbackOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: 5 * time.Minute}})
			return err
		}},
		"an upgrade, by an uninstall": {"upgrade", 2, release.PendingUpgrade, release.PreUpgrade, func(t *testing.T, w *world, _ string) error {
			_, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: 5 * time.Minute}})
			return err
		}},
		"an upgrade, by a run of a hook": {"upgrade", 2, release.PendingUpgrade, release.PreUpgrade, func(t *testing.T, w *world, _ string) error {
			_, err := w.service.RunHook(t.Context(), lifecycle.HookOptions{Name: "web", Namespace: "shop", Hook: "migrate", Plan: plan.Options{Timeout: 5 * time.Minute}})
			return err
		}},
		"a rollback": {"rollback", 2, release.PendingRollback, release.PreRollback, upgrade},
		"tests": {"test", 1, release.Deployed, release.Test, func(t *testing.T, w *world, _ string) error {
			_, err := w.service.Test(t.Context(), lifecycle.TestOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: 5 * time.Minute}})
			return err
		}},
		"an install": {"install", 1, release.PendingInstall, release.PreInstall, func(t *testing.T, w *world, dir string) error {
			_, err := w.deploy(t, plan.Install, dir, patient)
			return err
		}},
		"an uninstall": {"uninstall", 1, release.Uninstalling, release.PreDelete, func(t *testing.T, w *world, _ string) error {
			_, err := w.service.Uninstall(t.Context(), lifecycle.UninstallOptions{Name: "web", Namespace: "shop", Plan: plan.Options{Timeout: 5 * time.Minute}})
			return err
		}},
	}
}

// expectTold compares what the ledger tells of what dead runs did.
func (w *world) expectTold(t *testing.T, b *countedBook, revision int, want ...string) {
	t.Helper()
	var got []string
	for _, text := range b.told(t, revision) {
		if strings.Contains(text, " of dead: ") {
			got = append(got, text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger tells of revision %d (-want +got):\n%s\nall: %q\nnotices: %q", revision, diff, b.told(t, revision), w.notices)
	}
}

// died is a world in which an upgrade to revision 2 was killed while its hook ran.
func died(t *testing.T, dir string, run kubefake.Run) (*world, *countedBook, *unstructured.Unstructured) {
	t.Helper()
	w, leases := lockedWorld()
	b := w.withLedger()
	w.Runs("Job/migrate", kubefake.Run{}, run, kubefake.Run{})
	w.installed(t, dir)
	w.Remove(migrate)
	w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
	job := w.leaves(t, "upgrade", 2, release.PreUpgrade)
	entry := `{"version":1,"revision":2,"operation":{"id":"dead","name":"upgrade","started":"2000-01-01T00:00:00Z"},"hooks":{"pre-upgrade/Job/shop/migrate":{"uid":%q}}}`
	wroteJournal(leases, fmt.Sprintf(entry, job.GetUID()))
	return w, b, job
}

// diedAfterAHook is a world in which an upgrade to revision 2 was killed after its hook had
// succeeded and was deleted, and before that was in the ledger: only the journal knows.
func diedAfterAHook(t *testing.T, dir string) (*world, *locktest.Leases, *countedBook) {
	t.Helper()
	w, leases := lockedWorld()
	b := w.withLedger()
	w.installed(t, dir)
	w.dies(t, leases, "upgrade", 2, release.PendingUpgrade)
	wroteJournal(leases, fmt.Sprintf(journalOfAHook, true))
	return w, leases, b
}

// locker is one process' way to the locks.
func locker(leases *locktest.Leases, user string) *lock.Locker {
	opts := lock.DefaultOptions()
	opts.Life = func(lock.Holder) lock.Life { return lock.Unknown }
	return lock.New(leases, "shop", lock.Holder{User: user, Host: "ci", PID: 1, Token: user}, time.Now, opts)
}

// lockedWorld is a world whose service takes locks.
func lockedWorld() (*world, *locktest.Leases) {
	w, leases := newWorld(), locktest.New()
	w.service.Locks = locker(leases, "ben")
	return w, leases
}

// dies leaves the lock and the record of a run behind that was killed.
func (w *world) dies(t *testing.T, leases *locktest.Leases, operation string, revision int, status release.Status) {
	t.Helper()
	if leases != nil {
		held, err := locker(leases, "anna").Acquire(t.Context(), "web", operation)
		if err != nil {
			t.Fatal(err)
		}
		held.Note(lock.Intent{Operation: operation, Revision: revision})
		if err := held.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := leases.Peek("pintle.web")
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		leases.Seed(left)
	}
	all, err := w.records.History(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	r := all[len(all)-1].Clone()
	if r.Revision == revision && r.Info.Status == status {
		return // it died beside a revision that others had brought about
	}
	write := w.records.Update
	if r.Revision != revision {
		r.Revision, write = revision, w.records.Create
	}
	r.SetStatus(status, "Preparing upgrade")
	if err := write(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// wroteJournal has the lock that a dead run left say how far it came.
func wroteJournal(leases *locktest.Leases, text string) {
	left := leases.Peek("pintle.web")
	notes := left.GetAnnotations()
	notes["pintle.dev/journal"] = text
	left.SetAnnotations(notes)
	leases.Seed(left)
}

func (w *world) installed(t *testing.T, dir string) {
	t.Helper()
	if _, err := w.deploy(t, plan.Install, dir, nil); err != nil {
		t.Fatal(err)
	}
}

func (w *world) told(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.notices, func(n string) bool { return strings.Contains(n, text) })
}

// startsJob creates a hook's Job as a run that is gone did.
func (w *world) startsJob(t *testing.T, name string) {
	t.Helper()
	parsed, err := object.Parse(object.Document{Text: failing})
	if err != nil {
		t.Fatal(err)
	}
	parsed.SetNamespace("shop")
	parsed.SetName(name)
	if _, err := w.Create(t.Context(), parsed, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) job(name string) *unstructured.Unstructured {
	return w.Peek(object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: name})
}
