package kubefake

import (
	"context"
	"reflect"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Get reads one object.
func (c *Cluster) Get(ctx context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	return c.asked(ctx, "get", ref, func(key object.Key) (*unstructured.Unstructured, error) {
		if obj := c.objects[key]; obj != nil {
			return obj.DeepCopy(), nil
		}
		return nil, c.notFound(ref)
	})
}

// Create stores a new object and starts what is scripted for it.
func (c *Cluster) Create(ctx context.Context, obj *unstructured.Unstructured, opts metav1.CreateOptions) (*unstructured.Unstructured, error) {
	ref := object.RefOf(obj)
	return c.asked(ctx, dry("create", opts.DryRun), ref, func(key object.Key) (*unstructured.Unstructured, error) {
		if c.objects[key] != nil {
			r, _ := c.kind(ref.GVK())
			return nil, apierrors.NewAlreadyExists(r.GVR().GroupResource(), ref.Name)
		}
		return c.begin(key, obj, opts.FieldManager, len(opts.DryRun) > 0)
	})
}

// Apply merges an object into the live one: maps are merged, everything else
// is replaced, and what the last apply had and this one has not is dropped.
func (c *Cluster) Apply(ctx context.Context, obj *unstructured.Unstructured, opts metav1.PatchOptions) (*unstructured.Unstructured, error) {
	ref := object.RefOf(obj)
	dryRun := len(opts.DryRun) > 0
	return c.asked(ctx, dry("patch", opts.DryRun), ref, func(key object.Key) (*unstructured.Unstructured, error) {
		live := c.objects[key]
		if live == nil {
			return c.begin(key, obj, opts.FieldManager, dryRun)
		}
		merged := live.DeepCopy()
		subtract(merged.Object, c.applied[manager{live.GetUID(), opts.FieldManager}], obj.Object)
		merge(merged.Object, obj.DeepCopy().Object)
		if err := c.immutable(ref, live, merged); err != nil {
			return nil, err
		}
		if dryRun {
			return merged, nil
		}
		c.applied[manager{live.GetUID(), opts.FieldManager}] = obj.DeepCopy().Object
		if reflect.DeepEqual(live.Object, merged.Object) {
			return merged, nil
		}
		if !reflect.DeepEqual(live.Object["spec"], merged.Object["spec"]) {
			merged.SetGeneration(live.GetGeneration() + 1)
		}
		c.store(key, merged)
		c.play(merged)
		return c.objects[key].DeepCopy(), nil
	})
}

// Delete removes an object and what it owns: at once, unless it has
// finalizers or the test lets it linger (see Lingers).
func (c *Cluster) Delete(ctx context.Context, ref object.Ref, opts metav1.DeleteOptions) error {
	_, err := c.asked(ctx, dry("delete", opts.DryRun), ref, func(key object.Key) (*unstructured.Unstructured, error) {
		obj := c.objects[key]
		if obj == nil {
			return nil, c.notFound(ref)
		}
		if p := opts.Preconditions; p != nil && p.UID != nil && *p.UID != obj.GetUID() {
			r, _ := c.kind(ref.GVK())
			return nil, apierrors.NewConflict(r.GVR().GroupResource(), ref.Name, errUID)
		}
		if len(opts.DryRun) == 0 {
			c.kill(key, obj, opts.PropagationPolicy)
		}
		return nil, nil
	})
	return err
}

// MigrateManagers does nothing but be recorded (as verb "migrate") when the
// live object has an Update entry of a client-side manager.
func (c *Cluster) MigrateManagers(_ context.Context, live *unstructured.Unstructured) error {
	for _, e := range live.GetManagedFields() {
		if e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == "" && (e.Manager == "helm" || e.Manager == "kubectl-client-side-apply") {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.record("migrate", object.RefOf(live))
		}
	}
	return nil
}

// Snapshot reads those of the objects that are there.
func (c *Cluster) Snapshot(ctx context.Context, refs []object.Ref) (map[object.Key]*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	live := map[object.Key]*unstructured.Unstructured{}
	for _, ref := range refs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, ok := c.catalog.FindKind(ref.GVK().GroupKind())
		if !ok {
			continue
		}
		if obj := c.objects[keyIn(r, ref)]; obj != nil {
			live[ref.Key()] = obj.DeepCopy()
		}
	}
	return live, nil
}

// asked records a request, refuses it if so ordered, else lets handle answer.
func (c *Cluster) asked(ctx context.Context, verb string, ref object.Ref, handle func(object.Key) (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, &object.RequestError{Verb: verb, Ref: ref, Err: context.Cause(ctx)}
	}
	key, err := c.key(ref)
	if err == nil {
		ref.Namespace = key.Namespace
		err = c.record(verb, ref)
	}
	var obj *unstructured.Unstructured
	if err == nil {
		obj, err = handle(key)
	}
	if err != nil {
		return nil, &object.RequestError{Verb: verb, Ref: ref, Err: err}
	}
	return obj, nil
}

func dry(verb string, dryRun []string) string {
	if len(dryRun) > 0 {
		return "dry-run " + verb
	}
	return verb
}

// begin stores a new object.
func (c *Cluster) begin(key object.Key, obj *unstructured.Unstructured, owner string, dryRun bool) (*unstructured.Unstructured, error) {
	home := object.Key{Kind: "Namespace", Name: key.Namespace}
	if key.Namespace != "" && c.objects[home] == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, key.Namespace)
	}
	stored := obj.DeepCopy()
	stored.SetNamespace(key.Namespace)
	if key.Namespace == "" {
		unstructured.RemoveNestedField(stored.Object, "metadata", "namespace")
	}
	delete(stored.Object, "status")
	c.birth(stored)
	if dryRun {
		return stored, nil
	}
	c.applied[manager{stored.GetUID(), owner}] = obj.DeepCopy().Object
	c.store(key, stored)
	c.play(stored)
	return c.objects[key].DeepCopy(), nil
}

// kill begins or completes a deletion.
func (c *Cluster) kill(key object.Key, obj *unstructured.Unstructured, policy *metav1.DeletionPropagation) {
	if policy != nil && *policy == metav1.DeletePropagationOrphan {
		for _, k := range c.ownedBy(obj.GetUID()) {
			c.edit(c.refOf(k), "", func(o *unstructured.Unstructured) { o.SetOwnerReferences(nil) })
		}
	}
	linger, lingers := pick(c.lingers, object.RefOf(obj))
	if !lingers && len(obj.GetFinalizers()) == 0 {
		c.remove(key)
		return
	}
	if obj.GetDeletionTimestamp() != nil {
		return
	}
	now := metav1.NewTime(time.Now())
	dying := obj.DeepCopy()
	dying.SetDeletionTimestamp(&now)
	c.store(key, dying)
	if lingers {
		c.later(linger, obj, func() { c.remove(key) })
	}
}

func (c *Cluster) refOf(key object.Key) object.Ref {
	r, _ := c.catalog.FindKind(schema.GroupKind{Group: key.Group, Kind: key.Kind})
	return object.Ref{Group: key.Group, Version: r.GVK.Version, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
}

// immutable refuses changes of a Job's template and of a ClusterIP-like few.
func (c *Cluster) immutable(ref object.Ref, live, merged *unstructured.Unstructured) error {
	fields := map[string][]string{
		"Job":         {"spec", "template"},
		"StatefulSet": {"spec", "serviceName"},
		"RoleBinding": {"roleRef"},
	}
	at, ok := fields[ref.Kind]
	if !ok {
		return nil
	}
	was, _, _ := unstructured.NestedFieldNoCopy(live.Object, at...)
	is, _, _ := unstructured.NestedFieldNoCopy(merged.Object, at...)
	if reflect.DeepEqual(was, is) {
		return nil
	}
	where := field.NewPath(at[0], at[1:]...)
	return apierrors.NewInvalid(ref.GVK().GroupKind(), ref.Name, field.ErrorList{field.Invalid(where, "", "field is immutable")})
}

// merge lays over onto base: maps are merged, everything else is replaced.
func merge(base, over map[string]any) {
	for k, v := range over {
		sub, isMap := v.(map[string]any)
		old, wasMap := base[k].(map[string]any)
		if isMap && wasMap {
			merge(old, sub)
		} else {
			base[k] = v
		}
	}
}

// subtract drops from base what was applied before and is wanted no more.
func subtract(base, before, wanted map[string]any) {
	for k, v := range before {
		next, stays := wanted[k]
		if !stays {
			delete(base, k)
			continue
		}
		sub, ok1 := v.(map[string]any)
		want, ok2 := next.(map[string]any)
		old, ok3 := base[k].(map[string]any)
		if ok1 && ok2 && ok3 {
			subtract(old, sub, want)
		}
	}
}
