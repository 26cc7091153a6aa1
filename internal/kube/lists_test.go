package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// serveConfigMaps answers lists and gets of ConfigMaps of one namespace.
func serveConfigMaps(w http.ResponseWriter, r *http.Request, live []map[string]any, forbidden bool) {
	if discovery(w, r) {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/ns/configmaps")
	if name == "" && forbidden {
		refuse(w, 403, metav1.StatusReasonForbidden, "no lists")
		return
	}
	items := []any{}
	for _, obj := range live {
		meta := obj["metadata"].(map[string]any)
		if name == "/"+meta["name"].(string) {
			reply(w, obj)
			return
		}
		if r.URL.Query().Get("labelSelector") == "" || meta["labels"] != nil {
			items = append(items, obj)
		}
	}
	if name != "" {
		refuse(w, 404, metav1.StatusReasonNotFound, "none")
		return
	}
	reply(w, map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": map[string]any{"resourceVersion": "5"}, "items": items})
}

// shortened names lists by what they select; gets are sorted, as they run
// side by side.
func shortened(requests []string) []string {
	var lists, gets []string
	for _, r := range withoutDiscovery(requests) {
		switch path, query, _ := strings.Cut(strings.TrimPrefix(r, "GET /api/v1/namespaces/ns/configmaps"), "?"); {
		case path != "":
			gets = append(gets, "GET "+strings.TrimPrefix(path, "/"))
		case strings.Contains(query, "labelSelector"):
			lists = append(lists, "LIST helm")
		default:
			lists = append(lists, "LIST names")
		}
	}
	slices.Sort(gets)
	return append(lists, gets...)
}

func TestListsComeInPages(t *testing.T) {
	expired := false
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("continue")
		if page == "2" && !expired {
			expired = true
			refuse(w, 410, metav1.StatusReasonExpired, "the continue token has expired")
			return
		}
		item := func(n string) map[string]any { return map[string]any{"metadata": map[string]any{"name": n}} }
		next := map[string]string{"": "1", "1": "2", "2": ""}[page]
		reply(w, map[string]any{
			"apiVersion": "v1", "kind": "SecretList", "metadata": map[string]any{"continue": next, "resourceVersion": "9"},
			"items": []any{item("a" + page), item("b" + page)},
		})
	}}
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	objects := w.client(Options{}).Objects()
	got, err := objects.List(t.Context(), secrets, "ns", "owner=helm")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range got {
		names = append(names, fmt.Sprintf("%s/%s", o.GetKind(), o.GetName()))
	}
	if diff := cmp.Diff([]string{"Secret/a", "Secret/b", "Secret/a1", "Secret/b1", "Secret/a2", "Secret/b2"}, names); diff != "" {
		t.Error(diff)
	}
	if n := len(w.requests()); n != 6 {
		t.Errorf("%d requests: three, the last of them expired, and three anew", n)
	}
	metadata, err := objects.ListMetadata(t.Context(), secrets, "ns", "owner=helm")
	if err != nil || len(metadata) != 6 || metadata[5].Name != "b2" {
		t.Error(metadata, err)
	}
}
