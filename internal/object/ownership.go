package object

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The metadata by which Helm marks what belongs to a release, and by which a
// chart asks for an object to be kept.
const (
	ManagedByLabel             = "app.kubernetes.io/managed-by"
	ManagedByHelm              = "Helm"
	ReleaseNameAnnotation      = "meta.helm.sh/release-name"
	ReleaseNamespaceAnnotation = "meta.helm.sh/release-namespace"
	ResourcePolicyAnnotation   = "helm.sh/resource-policy"
	KeepPolicy                 = "keep"
)

// Owner is a release as an object's metadata names it.
type Owner struct {
	Release   string
	Namespace string
}

// Own marks the object, in place, as belonging to the release.
func Own(obj *unstructured.Unstructured, release, namespace string) {
	setMetadata(obj, "labels", map[string]string{ManagedByLabel: ManagedByHelm})
	setMetadata(obj, "annotations", map[string]string{
		ReleaseNameAnnotation:      release,
		ReleaseNamespaceAnnotation: namespace,
	})
}

// OwnerOf is the release that the object's metadata names. It is false when
// the object does not say to be managed by Helm or does not name its release in full.
func OwnerOf(obj *unstructured.Unstructured) (Owner, bool) {
	annotations := Annotations(obj)
	o := Owner{Release: annotations[ReleaseNameAnnotation], Namespace: annotations[ReleaseNamespaceAnnotation]}
	ok := Labels(obj)[ManagedByLabel] == ManagedByHelm && o.Release != "" && o.Namespace != ""
	return o, ok
}

// OwnedBy reports whether the object belongs to that release.
func OwnedBy(obj *unstructured.Unstructured, release, namespace string) bool {
	o, ok := OwnerOf(obj)
	return ok && o == Owner{Release: release, Namespace: namespace}
}

// NotOwned says in a few words what keeps the object from belonging to that
// release, for an error about it; empty when it does belong to it.
func NotOwned(obj *unstructured.Unstructured, release, namespace string) string {
	if OwnedBy(obj, release, namespace) {
		return ""
	}
	if o, ok := OwnerOf(obj); ok {
		return fmt.Sprintf("it belongs to release %s in namespace %s", o.Release, o.Namespace)
	}
	var missing []string
	note := func(what, key, have, want string) {
		switch have {
		case want:
		case "":
			missing = append(missing, fmt.Sprintf("%s %s is missing", what, key))
		default:
			missing = append(missing, fmt.Sprintf("%s %s is %q", what, key, have))
		}
	}
	note("label", ManagedByLabel, Labels(obj)[ManagedByLabel], ManagedByHelm)
	note("annotation", ReleaseNameAnnotation, Annotations(obj)[ReleaseNameAnnotation], release)
	note("annotation", ReleaseNamespaceAnnotation, Annotations(obj)[ReleaseNamespaceAnnotation], namespace)
	return "it belongs to no release: " + strings.Join(missing, ", ")
}

// Keep reports whether the chart asks that the object outlive the release
// (helm.sh/resource-policy: keep, in any case and with blanks around it).
func Keep(obj *unstructured.Unstructured) bool {
	policy := Annotations(obj)[ResourcePolicyAnnotation]
	return strings.EqualFold(strings.TrimSpace(policy), KeepPolicy)
}
