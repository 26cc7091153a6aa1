package object_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestOwnKeepsOtherMetadata(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetLabels(map[string]string{"app": "web"})
	object.Own(obj, "shop", "prod")
	if obj.GetLabels()["app"] != "web" || obj.GetLabels()["app.kubernetes.io/managed-by"] != "Helm" {
		t.Errorf("labels are %v", obj.GetLabels())
	}
	a := obj.GetAnnotations()
	if a["meta.helm.sh/release-name"] != "shop" || a["meta.helm.sh/release-namespace"] != "prod" {
		t.Errorf("annotations are %v", a)
	}
	if !object.OwnedBy(obj, "shop", "prod") || object.NotOwned(obj, "shop", "prod") != "" {
		t.Error("the owner does not own it")
	}
	if why := object.NotOwned(obj, "shop", "test"); why != "it belongs to release shop in namespace prod" {
		t.Errorf("another release is told %q", why)
	}
}

func TestOwnKeepsMetadataWithoutText(t *testing.T) {
	obj, err := object.Parse(object.Document{Line: 1, Text: `{apiVersion: v1, kind: X, metadata: {annotations: {a: x, empty: , num: 1.5, b: true}, labels: {l: }}}`})
	if err != nil {
		t.Fatal(err)
	}
	object.Own(obj, "shop", "prod")
	got := object.Annotations(obj)
	if got["a"] != "x" || got["num"] != "1.5" || got["b"] != "true" || !object.OwnedBy(obj, "shop", "prod") {
		t.Errorf("annotations are %v", got)
	}
	if v, ok := got["empty"]; !ok || v != "" {
		t.Errorf("the empty annotation is lost: %v", got)
	}
	annotations, labels := object.Unquoted(obj)
	slices.Sort(annotations)
	if !slices.Equal(annotations, []string{"b", "num"}) || len(labels) != 0 {
		t.Errorf("unquoted are %v and %v", annotations, labels)
	}
}

func TestNotOwnedNamesWhatIsMissing(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "kustomize"})
	obj.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "shop"})
	if _, ok := object.OwnerOf(obj); ok {
		t.Error("an object of kustomize has an owner")
	}
	why := object.NotOwned(obj, "shop", "prod")
	for _, part := range []string{`managed-by is "kustomize"`, "annotation meta.helm.sh/release-namespace is missing"} {
		if !strings.Contains(why, part) {
			t.Errorf("%q does not say %q", why, part)
		}
	}
	if strings.Contains(why, "release-name is") {
		t.Errorf("%q complains of what is right", why)
	}
}

func TestKeep(t *testing.T) {
	for _, tc := range []struct {
		policy string
		want   bool
	}{{"keep", true}, {" Keep ", true}, {"delete", false}, {"", false}} {
		obj := &unstructured.Unstructured{Object: map[string]any{}}
		obj.SetAnnotations(map[string]string{"helm.sh/resource-policy": tc.policy})
		if got := object.Keep(obj); got != tc.want {
			t.Errorf("policy %q keeps: %v", tc.policy, got)
		}
	}
}
