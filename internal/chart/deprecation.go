package chart

import (
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/deprecation"
	"k8s.io/client-go/kubernetes/scheme"
)

// kubernetesKinds are those of Kubernetes itself, CustomResourceDefinitions not
// among them, as for Helm's linter. They are put together when they are needed.
var kubernetesKinds = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := scheme.AddToScheme(s); err != nil {
		return scheme.Scheme
	}
	return s
})

// deprecationOf is what Kubernetes of a version says when it is given an
// object of an API that is on its way out; empty where it says nothing.
func deprecationOf(apiVersion, kind string, major, minor int) string {
	gvk := schema.FromAPIVersionAndKind(apiVersion, kind)
	object, err := kubernetesKinds().New(gvk)
	if err != nil {
		return "" // not one of Kubernetes' own
	}
	object.GetObjectKind().SetGroupVersionKind(gvk)
	if !deprecation.IsDeprecated(object, major, minor) {
		return ""
	}
	return deprecation.WarningMessage(object)
}
