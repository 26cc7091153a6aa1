package kube

import (
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

func TestDiscoveryIsThreeRequestsAndRevalidated(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"first", "second"} {
		var unmodified atomic.Int32
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				unmodified.Add(1)
			}
			discovery(w, r)
		}}
		c := w.client(Options{})
		c.served.cache = newDiscoveryCache(dir, c.target, &rest.Config{})
		catalog, info, err := c.Discover(t.Context())
		if err != nil || info.GitVersion != "v1.35.4" {
			t.Fatal(run, info, err)
		}
		want := []string{"apps/v1", "apps/v1/Deployment", "batch/v1", "batch/v1/Job", "v1", "v1/ConfigMap", "v1/Event", "v1/Pod", "v1/Secret"}
		if diff := cmp.Diff(want, catalog.APIVersions()); diff != "" {
			t.Errorf("%s: %s", run, diff)
		}
		if n := len(w.requests()); n != 3 || c.Requests()["get"] != 3 {
			t.Errorf("%s: %d requests", run, n)
		}
		if stale := c.Unavailable(); len(stale) != 1 || stale[0].Group != "metrics.k8s.io" {
			t.Errorf("%s: unavailable %v", run, stale)
		}
		if (run == "second") != (unmodified.Load() == 2) {
			t.Errorf("%s: %d revalidated", run, unmodified.Load())
		}
	}
	if kept, _ := filepath.Glob(dir + "/*/*.json"); len(kept) != 2 {
		t.Errorf("kept %v", kept)
	}
}

func TestBrokenDiscoveryCacheIsReadAnew(t *testing.T) {
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) { discovery(w, r) }}
	c := w.client(Options{})
	c.served.cache = newDiscoveryCache(t.TempDir(), c.target, &rest.Config{})
	c.served.cache.store("/api", `"/api1"`, []byte("{half"))
	catalog, _, err := c.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := catalog.FindKind(schema.GroupKind{Kind: "Pod"}); !ok {
		t.Error("no Pod")
	}
}

func TestLegacyDiscovery(t *testing.T) {
	documents := map[string]string{
		"/version": `{"gitVersion":"v1.25.0"}`,
		"/api":     `{"kind":"APIVersions","versions":["v1"]}`,
		"/api/v1":  `{"resources":[{"name":"pods","namespaced":true,"kind":"Pod"},{"name":"pods/log","namespaced":true,"kind":"Pod"},{"name":"nodes","kind":"Node"}]}`,
		"/apis": `{"kind":"APIGroupList","groups":[{"name":"autoscaling","versions":[{"version":"v1"},{"version":"v2"}],"preferredVersion":{"version":"v2"}},
			{"name":"metrics.k8s.io","versions":[{"version":"v1beta1"}],"preferredVersion":{"version":"v1beta1"}}]}`,
		"/apis/autoscaling/v1": `{"resources":[{"name":"hpas","namespaced":true,"kind":"HorizontalPodAutoscaler"}]}`,
		"/apis/autoscaling/v2": `{"resources":[{"name":"hpas","namespaced":true,"kind":"HorizontalPodAutoscaler"}]}`,
	}
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", asJSON)
		if doc, ok := documents[r.URL.Path]; ok {
			_, _ = io.WriteString(w, doc)
			return
		}
		refuse(w, 503, metav1.StatusReasonServiceUnavailable, "the server is currently unable to handle the request")
	}}
	c := w.client(Options{})
	catalog, _, err := c.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hpa, _ := catalog.FindKind(schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"})
	node, _ := catalog.FindKind(schema.GroupKind{Kind: "Node"})
	if hpa.GVK.Version != "v2" || node.Namespaced || node.Name != "nodes" {
		t.Errorf("%+v %+v", hpa, node)
	}
	if stale := c.Unavailable(); len(stale) != 1 {
		t.Errorf("unavailable %v", stale)
	}
}

func TestAKindThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		const group = `{"metadata":{"name":"example.com"},"versions":[{"version":"v1","resources":[{"resource":"widgets","responseKind":{"kind":"Widget"},"scope":"Namespaced"}]}]}`
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/apis":
				w.Header().Set("Content-Type", "application/json;as=APIGroupDiscoveryList")
				items := `{"metadata":{"name":"apiextensions.k8s.io"},"versions":[{"version":"v1","resources":[{"resource":"crds","responseKind":{"kind":"CustomResourceDefinition"},"scope":"Cluster"}]}]}`
				if time.Since(start) > 2*time.Second {
					items += "," + group
				}
				_, _ = io.WriteString(w, `{"items":[`+items+`]}`)
			case discovery(w, r):
			case r.Method == http.MethodPatch && r.URL.Path == "/apis/example.com/v1/namespaces/ns/widgets/w" && time.Since(start) < 3*time.Second:
				http.Error(w, "404 page not found", http.StatusNotFound) // announced, not handled yet
			default:
				_, _ = io.Copy(w, r.Body)
			}
		}}
		c := w.client(Options{})
		widget := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "ns"},
		}}
		if _, err := c.Apply(t.Context(), widget, metav1.PatchOptions{}); !IsUnknownKind(err) || time.Since(start) > 0 {
			t.Errorf("unknown kind: %v after %v", err, time.Since(start))
		}
		crd := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "widgets.example.com"},
			"spec": map[string]any{"group": "example.com", "names": map[string]any{"kind": "Widget"}},
		}}
		if _, err := c.Apply(t.Context(), crd, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Apply(t.Context(), widget, metav1.PatchOptions{}); err != nil {
			t.Errorf("after its definition: %v", err)
		}
		within(t, time.Since(start), 3*time.Second, 4*time.Second)
	})
}

func TestLookup(t *testing.T) {
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		switch {
		case discovery(w, r):
		case r.URL.Path == "/api/v1/namespaces/ns/configmaps/a":
			ok(w)
		case r.URL.Path == "/api/v1/configmaps":
			reply(w, map[string]any{"kind": "ConfigMapList", "items": []any{}})
		case r.URL.Path == "/api/v1/namespaces/ns/secrets/s":
			refuse(w, 403, metav1.StatusReasonForbidden, "no")
		default:
			refuse(w, 404, metav1.StatusReasonNotFound, "none")
		}
	}}
	c := w.client(Options{Namespace: "other"})
	tests := []struct {
		apiVersion, kind, namespace, name string
		want                              int
		fails                             bool
	}{
		{"v1", "ConfigMap", "ns", "a", 3, false},
		{"v1", "ConfigMap", "ns", "none", 0, false},
		{"v1", "ConfigMap", "", "", 2, false},
		{"v1", "Secret", "ns", "s", 0, true},
		{"v1", "Unknown", "ns", "s", 0, false},
		{"example.com/v1", "Unknown", "ns", "s", 0, true},
	}
	for _, tt := range tests {
		got, err := c.Lookup(t.Context(), tt.apiVersion, tt.kind, tt.namespace, tt.name)
		if len(got) != tt.want || got == nil || (err != nil) != tt.fails {
			t.Errorf("%v: %v, %v", tt, got, err)
		}
	}
}

func TestSnapshot(t *testing.T) {
	names := func(n int) []object.Ref {
		var refs []object.Ref
		for i := range n {
			refs = append(refs, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: string(rune('a' + i))})
		}
		return refs
	}
	labelled := func(name string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": name, "labels": map[string]any{"app.kubernetes.io/managed-by": "Helm"}}}
	}
	bare := func(name string) map[string]any { return map[string]any{"metadata": map[string]any{"name": name}} }
	tests := map[string]struct {
		live      []map[string]any
		wanted    int
		forbidden bool
		found     string
		requests  []string
	}{
		"few are got one by one": {[]map[string]any{labelled("a")}, 2, false, "a", []string{"GET a", "GET b"}},
		"all by one list":        {[]map[string]any{labelled("a"), labelled("b"), labelled("c"), labelled("d"), labelled("z")}, 4, false, "abcd", []string{"LIST helm"}},
		"a first install":        {[]map[string]any{bare("x")}, 6, false, "", []string{"LIST helm", "LIST names"}},
		"an unlabelled one":      {[]map[string]any{labelled("a"), bare("b")}, 6, false, "ab", []string{"LIST helm", "LIST names", "GET b"}},
		"one is missing":         {[]map[string]any{labelled("a"), labelled("b"), labelled("c")}, 4, false, "abc", []string{"LIST helm", "GET d"}},
		"listing is forbidden":   {[]map[string]any{labelled("a"), bare("b")}, 4, true, "ab", []string{"LIST helm", "LIST names", "GET a", "GET b", "GET c", "GET d"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := &wire{handle: func(w http.ResponseWriter, r *http.Request) { serveConfigMaps(w, r, tt.live, tt.forbidden) }}
			c := w.client(Options{})
			live, err := c.Snapshot(t.Context(), append(names(tt.wanted), object.Ref{Group: "example.com", Version: "v1", Kind: "Unserved", Name: "u"}))
			if err != nil {
				t.Fatal(err)
			}
			found := ""
			for _, ref := range names(tt.wanted) {
				if obj := live[ref.Key()]; obj != nil {
					found += obj.GetName()
				}
			}
			if found != tt.found || len(live) != len(tt.found) {
				t.Errorf("found %q, want %q", found, tt.found)
			}
			if diff := cmp.Diff(tt.requests, shortened(w.requests())); diff != "" {
				t.Error(diff)
			}
		})
	}
}
