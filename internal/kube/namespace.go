package kube

import (
	"maps"
	"slices"

	"k8s.io/client-go/tools/clientcmd"
)

// Contexts are the names of the kubeconfig's contexts, sorted; none where it
// is missing or broken.
func Contexts(opts Options) []string {
	loaded, err := loadingRules(opts).Load()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(loaded.Contexts))
}

// ConfiguredNamespace is the namespace that Connect would put in force: that of
// the options, else that of the kubeconfig's context, else "default". It
// builds no client, needs no cluster, and takes a kubeconfig that is missing or
// broken for one that names no namespace.
func ConfiguredNamespace(opts Options) string {
	if opts.Namespace != "" {
		return opts.Namespace
	}
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(loadingRules(opts), overrides(opts))
	namespace, _, err := loaded.Namespace()
	if err != nil || namespace == "" {
		return "default"
	}
	return namespace
}
