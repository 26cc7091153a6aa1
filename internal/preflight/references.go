package preflight

import (
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// fields gives easy access to a decoded document; what is not there, or of
// another type, is empty.
type fields map[string]any

func (f fields) at(name string) fields {
	m, _ := f[name].(map[string]any)
	return m
}

func (f fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f fields) each(name string, visit func(fields)) {
	items, _ := f[name].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			visit(m)
		}
	}
}

func (f fields) optional() bool {
	yes, _ := f["optional"].(bool)
	return yes
}

// podReferences are what the pods of a Job or a Pod cannot start without, in
// the order in which they are named. Pods of other kinds are awaited by nobody.
func podReferences(obj *unstructured.Unstructured) []object.Ref {
	spec := fields(obj.Object).at("spec")
	switch ref := object.RefOf(obj); {
	case ref.Is("batch", "Job"):
		spec = spec.at("template").at("spec")
	case !ref.Is("", "Pod"):
		return nil
	}
	var out []object.Ref
	add := func(kind string, source fields, key string) {
		if name := source.text(key); name != "" && !source.optional() && !alwaysThere(kind, name) {
			out = append(out, object.Ref{Version: "v1", Kind: kind, Namespace: obj.GetNamespace(), Name: name})
		}
	}
	add("ServiceAccount", spec, "serviceAccountName")
	for _, list := range []string{"initContainers", "containers"} {
		spec.each(list, func(c fields) {
			c.each("envFrom", func(e fields) {
				add("Secret", e.at("secretRef"), "name")
				add("ConfigMap", e.at("configMapRef"), "name")
			})
			c.each("env", func(e fields) {
				add("Secret", e.at("valueFrom").at("secretKeyRef"), "name")
				add("ConfigMap", e.at("valueFrom").at("configMapKeyRef"), "name")
			})
		})
	}
	volume := func(v fields, secretKey string) {
		add("Secret", v.at("secret"), secretKey)
		add("ConfigMap", v.at("configMap"), "name")
	}
	spec.each("volumes", func(v fields) {
		volume(v, "secretName")
		add("PersistentVolumeClaim", v.at("persistentVolumeClaim"), "claimName")
		v.at("projected").each("sources", func(p fields) { volume(p, "name") })
	})
	return out
}

// alwaysThere are the objects that Kubernetes puts into every namespace.
func alwaysThere(kind, name string) bool {
	return kind == "ServiceAccount" && name == "default" || kind == "ConfigMap" && name == "kube-root-ca.crt"
}
