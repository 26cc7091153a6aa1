package cli

import (
	"context"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/ui"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// tailLines is how many lines of a container's log are read that is not followed.
	tailLines = 20000
	// lookAgain is how often a followed hook is looked at for new pods.
	lookAgain = time.Second
)

var podResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// liveLog shows the logs of the pods of one Job or Pod.
type liveLog struct {
	client *kube.Client
	out    *ui.LogWriter
	masker *ledger.Masker
	hook   string
	object *unstructured.Unstructured
	follow bool

	mu       sync.Mutex
	seen     map[containerLife]bool
	group    sync.WaitGroup
	firstErr error
}

// containerLife is one life of one container.
type containerLife struct {
	pod, container string
	restarts       int64
}

// show writes what there is, and goes on until the end if it is to follow. It
// is false when no container has started.
func (l *liveLog) show(ctx context.Context) (bool, error) {
	l.seen = map[containerLife]bool{}
	for {
		if err := l.look(ctx); err != nil {
			return false, err
		}
		if !l.follow || l.ended() {
			break
		}
		select {
		case <-ctx.Done():
			return true, context.Cause(ctx)
		case <-time.After(lookAgain):
		}
		obj, err := l.client.Get(ctx, object.RefOf(l.object))
		if apierrors.IsNotFound(err) || err == nil && obj.GetUID() != l.object.GetUID() {
			break
		}
		if err != nil {
			return true, err
		}
		l.object = obj
	}
	l.group.Wait()
	return len(l.seen) > 0, l.firstErr
}

func (l *liveLog) ended() bool { return health.Completion(l.object).State != health.InProgress }

// look starts to read the containers that have started since the last look.
func (l *liveLog) look(ctx context.Context) error {
	pods := []unstructured.Unstructured{*l.object}
	if l.object.GetKind() != "Pod" {
		var err error
		selector := "batch.kubernetes.io/controller-uid=" + string(l.object.GetUID())
		if pods, err = l.client.Objects().List(ctx, podResource, l.object.GetNamespace(), selector); err != nil {
			return err
		}
	}
	lives := 0
	for _, pod := range pods {
		lives += len(started(&pod))
	}
	if lives > 1 {
		l.out.Prefix(true)
	}
	for _, pod := range pods {
		ref := object.Ref{Version: "v1", Kind: "Pod", Namespace: pod.GetNamespace(), Name: pod.GetName()}
		for _, life := range started(&pod) {
			if l.seen[life] {
				continue
			}
			l.seen[life] = true
			if l.follow {
				l.group.Go(func() { l.keep(l.client.Follow(ctx, ref, life.container, l.line(life))) })
				continue
			}
			lines, err := l.client.Tail(ctx, ref, life.container, tailLines)
			for _, line := range lines {
				l.line(life)(line)
			}
			l.keep(err)
		}
	}
	return nil
}

func (l *liveLog) line(life containerLife) func(ledger.Line) {
	return func(line ledger.Line) {
		line.Text = l.masker.Text(line.Text)
		l.out.Line(ui.Source{Hook: l.hook, Pod: life.pod, Container: life.container}, line)
	}
}

// keep remembers the first error; a pod that is gone is none.
func (l *liveLog) keep(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && !apierrors.IsNotFound(err) && l.firstErr == nil {
		l.firstErr = err
	}
}

// started are the containers of a pod that run or have run.
func started(pod *unstructured.Unstructured) []containerLife {
	var out []containerLife
	for _, field := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", field)
		for _, item := range statuses {
			status, _ := item.(map[string]any)
			name, _, _ := unstructured.NestedString(status, "name")
			restarts, _, _ := unstructured.NestedInt64(status, "restartCount")
			_, running, _ := unstructured.NestedMap(status, "state", "running")
			_, ended, _ := unstructured.NestedMap(status, "state", "terminated")
			if running || ended || restarts > 0 {
				out = append(out, containerLife{pod.GetName(), name, restarts})
			}
		}
	}
	return out
}
