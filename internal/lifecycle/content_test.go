package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A document of a record is taken for one that was rendered only when it says
// the same, word for word.
func TestRecordedDocumentsAreParsedOnce(t *testing.T) {
	catalog := object.NewCatalog([]object.Resource{{GVK: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, Name: "configmaps", Namespaced: true}})
	const same, before = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: same}", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}\ndata: {k: old}"
	known := &unstructured.Unstructured{Object: map[string]any{"kind": "ConfigMap", "apiVersion": "v1", "metadata": map[string]any{"name": "same"}}}
	r := &reader{release: "web", namespace: "shop", catalog: catalog, texts: map[string]*unstructured.Unstructured{same: known}}
	got, err := r.recorded(&release.Release{Manifest: object.Render("web/templates/a.yaml", same) + object.Render("web/templates/b.yaml", before)})
	if err != nil {
		t.Fatal(err)
	}
	if got.wanted[0].Object != known {
		t.Error("what is known was parsed again")
	}
	want, err := (&reader{release: "web", namespace: "shop", catalog: catalog}).recorded(
		&release.Release{Manifest: object.Render("web/templates/a.yaml", same) + object.Render("web/templates/b.yaml", before)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.wanted, got.wanted); diff != "" {
		t.Error(diff)
	}
}
