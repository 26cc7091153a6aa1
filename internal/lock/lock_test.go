package lock_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/lock/locktest"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// run is one process with a locker of its own.
func run(leases *locktest.Leases, user string, change func(*lock.Options)) *lock.Locker {
	opts := lock.DefaultOptions()
	opts.Life = func(lock.Holder) lock.Life { return lock.Unknown }
	if change != nil {
		change(&opts)
	}
	return lock.New(leases, "shop", lock.Holder{User: user, Host: "ci", PID: 1, Token: user}, time.Now, opts)
}

func acquire(t *testing.T, l *lock.Locker, operation string) *lock.Held {
	t.Helper()
	held, err := l.Acquire(t.Context(), "web", operation)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func release(t *testing.T, held *lock.Held) {
	t.Helper()
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func annotation(leases *locktest.Leases, name string) string {
	return leases.Peek("pintle.web").GetAnnotations()["pintle.dev/"+name]
}

func TestLeaseSaysWhoAndWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		held.Note(lock.Intent{Operation: "upgrade", Revision: 4})
		if err := held.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		obj := leases.Peek("pintle.web")
		who, _, _ := unstructured.NestedString(obj.Object, "spec", "holderIdentity")
		if who != "anna@ci/1/anna" || annotation(leases, "operation") != "upgrade" || annotation(leases, "revision") != "4" ||
			!strings.Contains(annotation(leases, "holder"), `"user":"anna"`) || obj.GetLabels()["owner"] != "pintle" || obj.GetLabels()["name"] != "web" {
			t.Errorf("the Lease is %v", obj.Object)
		}
		release(t, held)
		if leases.Peek("pintle.web") != nil {
			t.Error("the Lease is still there")
		}
	})
}

func TestRenewedLockIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		defer release(t, held)
		time.Sleep(2 * time.Minute)
		start := time.Now()
		_, err := run(leases, "ben", nil).Acquire(t.Context(), "web", "upgrade")
		var busy *lock.BusyError
		if !errors.As(err, &busy) || !busy.Renewed || busy.State.Holder.User != "anna" {
			t.Fatalf("the error is %v", err)
		}
		if took := time.Since(start); took > lock.DefaultOptions().Renew+2*time.Second {
			t.Errorf("the refusal took %s", took)
		}
		for _, want := range []string{"anna@ci", "upgrade", "(2m"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	})
}

func TestLiveProcessOfThisMachineIsRefusedWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		defer release(t, held)
		start := time.Now()
		_, err := run(leases, "ben", func(o *lock.Options) { o.Life = func(lock.Holder) lock.Life { return lock.Alive } }).Acquire(t.Context(), "web", "upgrade")
		var busy *lock.BusyError
		if !errors.As(err, &busy) || time.Since(start) != 0 {
			t.Fatalf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestQuietLockIsTakenOverWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		dead := acquire(t, run(leases, "anna", nil), "upgrade")
		dead.Note(lock.Intent{Operation: "upgrade", Revision: 4})
		if err := dead.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		dead.Die()
		time.Sleep(time.Hour) // how old it is by the clocks tells nothing
		start := time.Now()
		var told []bool
		held := acquire(t, run(leases, "ben", func(o *lock.Options) {
			o.Waiting = func(_ lock.State, renewed bool) { told = append(told, renewed) }
		}), "rollback")
		if took := time.Since(start); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("the take-over took %s", took)
		}
		if p := held.Previous(); p == nil || p.Holder.User != "anna" || p.Intent.Revision != 4 {
			t.Errorf("the previous holder is %+v", p)
		}
		if got := held.Unrecorded(); !slices.Equal(got, []int{4}) {
			t.Errorf("unrecorded: %v", got)
		}
		if !slices.Equal(told, []bool{false}) {
			t.Errorf("told: %v", told)
		}
		release(t, held)
	})
}

func TestDeadProcessOfThisMachineIsTakenOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		acquire(t, run(leases, "anna", nil), "upgrade").Die()
		start := time.Now()
		held := acquire(t, run(leases, "ben", func(o *lock.Options) { o.Life = func(lock.Holder) lock.Life { return lock.Dead } }), "upgrade")
		if time.Since(start) != 0 {
			t.Errorf("it took %s", time.Since(start))
		}
		release(t, held)
	})
}

func TestWhatADeadHolderLeftIsPassedOnUntilItIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		dead := func(o *lock.Options) { o.Life = func(lock.Holder) lock.Life { return lock.Dead } }
		first := acquire(t, run(leases, "anna", nil), "upgrade")
		first.Note(lock.Intent{Operation: "upgrade", Revision: 4})
		if err := first.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		first.Die()
		acquire(t, run(leases, "ben", dead), "upgrade").Die() // before it could settle anything
		third := acquire(t, run(leases, "carl", dead), "upgrade")
		if got := third.Unrecorded(); !slices.Equal(got, []int{4}) {
			t.Errorf("unrecorded: %v", got)
		}
		third.Settled(4)
		time.Sleep(10 * time.Second)
		if got := annotation(leases, "unrecorded"); got != "" {
			t.Errorf("the Lease still says %q", got)
		}
		release(t, third)
	})
}

func TestQueueing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		first := acquire(t, run(leases, "anna", nil), "upgrade")
		time.AfterFunc(3*time.Minute, func() { release(t, first) })
		start := time.Now()
		second := acquire(t, run(leases, "ben", func(o *lock.Options) { o.Wait = 10 * time.Minute }), "upgrade")
		if took := time.Since(start); took < 3*time.Minute || took > 3*time.Minute+2*time.Second {
			t.Errorf("it took %s", took)
		}
		if second.Previous() != nil {
			t.Errorf("previous: %+v", second.Previous())
		}
		release(t, second)

		third := acquire(t, run(leases, "anna", nil), "upgrade")
		defer release(t, third)
		start = time.Now()
		_, err := run(leases, "ben", func(o *lock.Options) { o.Wait = time.Minute }).Acquire(t.Context(), "web", "upgrade")
		var busy *lock.BusyError
		if !errors.As(err, &busy) || time.Since(start) < time.Minute || time.Since(start) > 62*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestHolderStopsWhenItsLockIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		ben := run(leases, "ben", nil)
		seen, err := ben.Look(t.Context(), "web")
		if err != nil {
			t.Fatal(err)
		}
		by, err := ben.Take(t.Context(), *seen, "unlock")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-held.Lost():
		case <-time.After(10 * time.Second):
			t.Fatal("the holder does not notice")
		}
		var lost *lock.LostError
		if err := held.Check(t.Context()); !errors.As(err, &lost) || lost.By.User != "ben" {
			t.Errorf("check: %v", err)
		}
		release(t, held) // gives nothing back
		if leases.Peek("pintle.web") == nil {
			t.Fatal("the new holder's Lease was removed")
		}
		release(t, by)
	})
}

// away are errors of an API server that does not answer.
var errAway = errors.New("connection refused")

func TestHolderWaitsOutAnAPIServerThatIsDown(t *testing.T) {
	for _, tt := range []struct {
		name  string
		down  time.Duration
		fails bool
	}{{"for 20 s", 20 * time.Second, false}, {"for a minute", time.Minute, false}, {"for 5 minutes", 5 * time.Minute, true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leases := locktest.New()
				held := acquire(t, run(leases, "anna", nil), "upgrade")
				start := time.Now()
				leases.Fail(func(string) error {
					if time.Since(start) < tt.down {
						return errAway
					}
					return nil
				})
				time.Sleep(28 * time.Second)
				err := held.Check(t.Context())
				var lost *lock.LostError
				if tt.fails != errors.As(err, &lost) || !tt.fails && err != nil {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
				if err == nil && time.Since(start) > tt.down+10*time.Second {
					t.Errorf("it went on only after %s", time.Since(start))
				}
				leases.Fail(nil)
				release(t, held)
			})
		})
	}
}

func TestRemovedLeaseIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		leases.Remove("pintle.web")
		time.Sleep(10 * time.Second)
		var lost *lock.LostError
		if err := held.Check(t.Context()); !errors.As(err, &lost) || leases.Peek("pintle.web") != nil {
			t.Errorf("check: %v", err)
		}
		release(t, held)
	})
}

func TestNamespaceThatGoesAwayTakesNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "uninstall")
		leases.Remove("pintle.web")
		leases.Fail(func(verb string) error {
			if verb == "create" {
				return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop")
			}
			return nil
		})
		time.Sleep(time.Minute)
		if err := held.Check(t.Context()); err != nil {
			t.Errorf("check: %v", err)
		}
		release(t, held)
	})
}

func TestAbandonedLockTellsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		held := acquire(t, run(leases, "anna", nil), "upgrade")
		record := metav1.OwnerReference{APIVersion: "v1", Kind: "Secret", Name: "sh.helm.release.v1.web.v5", UID: "r5"}
		left := lock.Left{Revisions: []int{5}, Why: "the record could not be written", Records: []metav1.OwnerReference{record}}
		if err := held.Abandon(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		if owners := leases.Peek("pintle.web").GetOwnerReferences(); !slices.Equal(owners, left.Records) {
			t.Errorf("the owners are %v", owners)
		}
		start := time.Now()
		next := acquire(t, run(leases, "ben", nil), "upgrade")
		if time.Since(start) != 0 || !slices.Equal(next.Unrecorded(), []int{5}) || next.Previous() == nil || next.Previous().Abandoned == "" {
			t.Errorf("after %s: %v, previous %+v", time.Since(start), next.Unrecorded(), next.Previous())
		}
		if owners := leases.Peek("pintle.web").GetOwnerReferences(); len(owners) != 0 {
			t.Errorf("a lock that is held goes with %v", owners)
		}
		release(t, next)
	})
}

// cutShort stores a Lease and is interrupted before the answer comes.
type cutShort struct {
	*locktest.Leases
	interrupt context.CancelFunc
}

func (c cutShort) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if _, err := c.Leases.Create(ctx, gvr, obj); err != nil {
		return nil, err
	}
	c.interrupt()
	return nil, ctx.Err()
}

// A lock that was taken while its run was interrupted can be given back.
func TestInterruptLeavesNoLockBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		leases := locktest.New()
		l := lock.New(cutShort{leases, cancel}, "shop", lock.Holder{User: "anna", Token: "anna"}, time.Now, lock.DefaultOptions())
		held, err := l.Acquire(ctx, "web", "upgrade")
		if err != nil {
			t.Fatal(err)
		}
		release(t, held)
		if leases.Peek("pintle.web") != nil {
			t.Error("the lock is still there")
		}
	})
}

func TestCannotLock(t *testing.T) {
	leases := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	l := locktest.New()
	l.Fail(func(string) error { return apierrors.NewForbidden(leases, "pintle.web", errors.New("no")) })
	_, err := run(l, "anna", nil).Acquire(t.Context(), "web", "upgrade")
	var denied *lock.DeniedError
	if !errors.As(err, &denied) {
		t.Errorf("the error is %v", err)
	}
	l.Fail(func(string) error { return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop") })
	if _, err = run(l, "anna", nil).Acquire(t.Context(), "web", "upgrade"); !errors.Is(err, lock.ErrNoNamespace) {
		t.Errorf("the error is %v", err)
	}
}

func TestRightToUpdateIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := locktest.New()
		l.Fail(func(verb string) error {
			if verb == "update" {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "leases"}, "pintle.web", errors.New("no"))
			}
			return nil
		})
		held := acquire(t, run(l, "anna", nil), "upgrade")
		held.Note(lock.Intent{Operation: "upgrade", Revision: 1})
		start := time.Now()
		var lost *lock.LostError
		if err := held.Check(t.Context()); !errors.As(err, &lost) || time.Since(start) > 5*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		release(t, held)
	})
}

// TestOneAtATime has ten runs compete; each must see nobody else at work.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := locktest.New()
		atWork, order := make(chan string, 1), make(chan string, 10)
		for _, name := range strings.Split("abcdefghij", "") {
			go func() {
				held, err := run(leases, name, func(o *lock.Options) { o.Wait = time.Hour }).Acquire(context.Background(), "web", "upgrade")
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case atWork <- name:
				default:
					t.Error("two at work at once")
				}
				time.Sleep(45 * time.Second)
				order <- <-atWork
				if name == "c" || name == "g" {
					held.Die() // without giving it back
				} else if err := held.Release(context.Background()); err != nil {
					t.Error(err)
				}
			}()
		}
		for range 10 {
			<-order
		}
		synctest.Wait()
	})
}

func TestNames(t *testing.T) {
	if got := lock.Name("web"); got != "pintle.web" {
		t.Errorf("got %s", got)
	}
	a, b := lock.Name(strings.Repeat("a", 300)), lock.Name(strings.Repeat("a", 299)+"b")
	if len(a) > 253 || len(b) > 253 || a == b {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestLifeOfProcesses(t *testing.T) {
	env := func(string) (string, bool) { return "", false }
	self := lock.Self(env)
	if self.Boot == "" || self.Space == "" || self.Started == "" {
		t.Skip("this system does not tell about processes")
	}
	parent := self
	parent.PID = os.Getppid()
	parent.Started, _ = lock.StartOf(parent.PID)
	gone := self
	gone.PID = 1 << 22 // above the highest number that Linux gives
	reused, elsewhere, rebooted, contained := self, self, self, self
	reused.Started = "1"
	elsewhere.Host, rebooted.Boot, contained.Space = "elsewhere", "0", "pid:[1]"
	for name, tt := range map[string]struct {
		holder lock.Holder
		want   lock.Life
	}{
		"self": {self, lock.Alive}, "parent": {parent, lock.Alive}, "gone": {gone, lock.Dead}, "number used again": {reused, lock.Dead},
		"another host": {elsewhere, lock.Unknown}, "another boot": {rebooted, lock.Unknown}, "another container": {contained, lock.Unknown},
		"nobody": {lock.Holder{}, lock.Unknown},
	} {
		if got := lock.LifeOf(tt.holder); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

func TestHolderNamesTheCIJob(t *testing.T) {
	for name, tt := range map[string]struct {
		env       map[string]string
		job, link string
	}{
		"none": {},
		"GitHub": {
			map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": "deploy", "GITHUB_JOB": "prod", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"},
			"GitHub Actions deploy/prod", "https://github.com/a/b/actions/runs/7",
		},
		"GitLab":  {map[string]string{"GITLAB_CI": "true", "CI_PROJECT_PATH": "a/b", "CI_JOB_NAME": "prod", "CI_JOB_URL": "https://gl/1"}, "GitLab CI a/b/prod", "https://gl/1"},
		"Jenkins": {map[string]string{"JENKINS_URL": "https://j", "JOB_NAME": "prod", "BUILD_NUMBER": "12", "BUILD_URL": "https://j/12"}, "Jenkins prod #12", "https://j/12"},
		"bare":    {map[string]string{"GITHUB_ACTIONS": "true"}, "GitHub Actions", ""},
	} {
		h := lock.Self(func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok })
		if h.Job != tt.job || h.Link != tt.link {
			t.Errorf("%s: got %q and %q", name, h.Job, h.Link)
		}
	}
}
