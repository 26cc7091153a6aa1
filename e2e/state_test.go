package e2e

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// remember keeps what the namespace holds now, for a later unchanged.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	noArguments(ts, "remember", neg, args)
	s := storyOf(ts)
	var err error
	s.remembered, err = s.state()
	ts.Check(err)
}

// unchanged checks that the namespace holds what it held at the last remember
// or, without one, at the start: the same objects, in the same versions.
func unchanged(ts *testscript.TestScript, neg bool, args []string) {
	noArguments(ts, "unchanged", neg, args)
	s := storyOf(ts)
	now, err := s.state()
	ts.Check(err)
	if diff := cmp.Diff(s.remembered, now); diff != "" {
		ts.Fatalf("the namespace has changed (-before +now):\n%s", diff)
	}
}

func noArguments(ts *testscript.TestScript, name string, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: %s", name)
	}
}

// unstable are resources that change without anybody's order.
var unstable = []string{"events", "endpoints", "endpointslices"}

// state maps each object of the namespace to its version.
func (s *story) state() (map[string]string, error) {
	_, lists, err := s.discovery.ServerGroupsAndResources()
	if err != nil {
		return nil, fmt.Errorf("asking which kinds there are: %w", err)
	}
	state := map[string]string{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if !resource.Namespaced || !slices.Contains(resource.Verbs, "list") || !slices.Contains(resource.Verbs, "create") || slices.Contains(unstable, resource.Name) {
				continue
			}
			found, err := s.objects.Resource(gv.WithResource(resource.Name)).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
			if err != nil {
				// Another story's kind may have gone in between.
				continue
			}
			for _, object := range found.Items {
				if name := object.GetKind() + "/" + object.GetName(); !everywhere(name) {
					state[name+" of "+list.GroupVersion] = version(object)
				}
			}
		}
	}
	return state, nil
}

// everywhere tells what the cluster puts into every namespace.
func everywhere(name string) bool {
	return name == "ServiceAccount/default" || name == "ConfigMap/kube-root-ca.crt"
}

// version changes when somebody changes an object. What only controllers write
// does not count.
func version(object unstructured.Unstructured) string {
	switch {
	case object.GetGeneration() != 0:
		return fmt.Sprintf("%s generation %s", object.GetUID(), strconv.FormatInt(object.GetGeneration(), 10))
	case object.GetKind() == "Secret" || object.GetKind() == "ConfigMap":
		return fmt.Sprintf("%s version %s", object.GetUID(), object.GetResourceVersion())
	default:
		return string(object.GetUID())
	}
}
