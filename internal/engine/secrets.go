package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// secretLimit bounds how long a log waits for the Secrets that its pod can
// see: an API server that does not answer must not keep the log back for ever.
const secretLimit = 10 * time.Second

// secretReader reads the Secrets that a hook's pods can see, so that their
// values can be masked. It begins while the hook is being created and is done,
// as a rule, before a container says its first word. Secrets that may not be
// read are left out: what the chart itself renders is masked all the same.
type secretReader struct {
	engine    *Engine
	namespace string
	ctx       context.Context // the life of the reads, which begin in several places
	cancel    context.CancelFunc

	mu sync.Mutex
	// keys are those wanted of each Secret, none meaning all; state says how far
	// its reading has come.
	keys  map[string][]string
	state map[string]secretState
	// reading counts the reads under way; idle is closed when they have ended.
	reading int
	idle    chan struct{}
}

type secretState int

const (
	secretUnread secretState = iota
	secretReading
	secretMissing
	secretDone
)

// readSecrets begins to read what the pods of a hook's object refer to.
func (e *Engine) readSecrets(ctx context.Context, hook *unstructured.Unstructured) *secretReader {
	r := &secretReader{
		engine: e, namespace: hook.GetNamespace(), keys: map[string][]string{}, state: map[string]secretState{},
		idle: make(chan struct{}),
	}
	close(r.idle)
	r.ctx, r.cancel = context.WithCancel(ctx)
	spec := []string{"spec"}
	if hook.GetKind() != "Pod" {
		spec = []string{"spec", "template", "spec"}
	}
	r.look(hook, spec)
	return r
}

// MaskerFor knows the values of the Secrets that the pods of a hook's object
// (a Job, a Pod) can see, as far as they may be read, beside those that are
// concealed already. It is for logs that are shown outside a run.
func (e *Engine) MaskerFor(ctx context.Context, hook *unstructured.Unstructured) *ledger.Masker {
	r := e.readSecrets(ctx, hook)
	defer r.close()
	r.await(ctx)
	return e.masker.get()
}

// close ends what is still being read.
func (r *secretReader) close() {
	r.cancel()
	<-r.ended()
}

// ended is closed when no read is under way.
func (r *secretReader) ended() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.idle
}

// see takes in a pod as it really is: admission may have added to it. A Secret
// that was missing may be there by now.
func (r *secretReader) see(pod *unstructured.Unstructured) { r.look(pod, []string{"spec"}) }

func (r *secretReader) look(obj *unstructured.Unstructured, path []string) {
	field, _, _ := unstructured.NestedFieldNoCopy(obj.Object, path...)
	spec, _ := field.(map[string]any)
	r.mu.Lock()
	defer r.mu.Unlock()
	eachSecret(spec, func(name, key string) {
		known, seen := r.keys[name]
		if name == "" || seen && (len(known) == 0 || slices.Contains(known, key)) {
			return
		}
		if key != "" {
			known = append(known, key)
		} else {
			known = nil
		}
		r.keys[name], r.state[name] = known, secretUnread
	})
	r.read(secretUnread)
}

// read begins to read the Secrets of one state. The lock is held.
func (r *secretReader) read(which secretState) {
	for name, state := range r.state {
		if state != which {
			continue
		}
		if r.reading == 0 {
			r.idle = make(chan struct{})
		}
		r.reading++
		r.state[name] = secretReading
		go r.get(name, r.keys[name])
	}
}

func (r *secretReader) get(name string, keys []string) {
	ref := object.Ref{Version: "v1", Kind: "Secret", Namespace: r.namespace, Name: name}
	secret, err := r.engine.cluster.Get(r.ctx, ref)
	if err == nil {
		r.engine.masker.add(secretValues(secret, keys))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state[name] = secretDone
	if apierrors.IsNotFound(err) {
		r.state[name] = secretMissing
	}
	if r.reading--; r.reading == 0 {
		close(r.idle)
	}
}

// await returns when all Secrets have been read that can be, those included
// that appeared only just before the container started.
func (r *secretReader) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, secretLimit)
	defer cancel()
	r.mu.Lock()
	r.read(secretMissing)
	r.mu.Unlock()
	select {
	case <-r.ended():
	case <-ctx.Done():
	}
}

// eachSecret calls found for each Secret that a pod's containers can see; an
// empty key means all of them.
func eachSecret(spec map[string]any, found func(name, key string)) {
	text := func(m map[string]any, path ...string) string {
		s, _, _ := unstructured.NestedString(m, path...)
		return s
	}
	for _, field := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for _, c := range maps(spec, field) {
			for _, env := range maps(c, "env") {
				found(text(env, "valueFrom", "secretKeyRef", "name"), text(env, "valueFrom", "secretKeyRef", "key"))
			}
			for _, from := range maps(c, "envFrom") {
				found(text(from, "secretRef", "name"), "")
			}
		}
	}
	for _, volume := range maps(spec, "volumes") {
		found(text(volume, "secret", "secretName"), "")
		projected, _ := volume["projected"].(map[string]any)
		for _, source := range maps(projected, "sources") {
			found(text(source, "secret", "name"), "")
		}
	}
}

// maps are the elements of a list of objects.
func maps(m map[string]any, field string) []map[string]any {
	list, _ := m[field].([]any)
	var out []map[string]any
	for _, item := range list {
		if element, ok := item.(map[string]any); ok {
			out = append(out, element)
		}
	}
	return out
}
