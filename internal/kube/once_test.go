package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// canned answers every request with the same text, at hardly any cost.
type canned struct{ text string }

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(c.text)),
		Body: io.NopCloser(strings.NewReader(c.text)), Request: r,
	}, nil
}

// wide is a ConfigMap of so many fields that decoding it outweighs all else
// that a request costs.
func wide(name string) map[string]any {
	data := map[string]any{}
	for i := range 2000 {
		data[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "ns", "uid": "1"}, "data": data,
	}
}

// What comes from the API server is decoded once, whatever it is asked for: an
// answer costs less than half more than its one decoding.
func TestAnswersAreDecodedOnce(t *testing.T) {
	obj := &unstructured.Unstructured{Object: wide("a")}
	var refs []object.Ref
	list := map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": map[string]any{"resourceVersion": "5"}}
	var items []any
	for i := range 5 {
		name := fmt.Sprintf("cm-%d", i)
		refs = append(refs, object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: name})
		items = append(items, wide(name))
	}
	list["items"] = items
	configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	force := true
	for name, tt := range map[string]struct {
		answer any
		// writes tells that the object is encoded too, once.
		writes bool
		ask    func(c *Client) error
	}{
		"get": {answer: obj.Object, ask: func(c *Client) error { _, err := c.Get(t.Context(), refs[0]); return err }},
		"apply": {answer: obj.Object, writes: true, ask: func(c *Client) error {
			_, err := c.Apply(t.Context(), obj, metav1.PatchOptions{FieldManager: "helm", Force: &force})
			return err
		}},
		"update":   {answer: obj.Object, writes: true, ask: func(c *Client) error { _, err := c.Objects().Update(t.Context(), configMaps, obj); return err }},
		"list":     {answer: list, ask: func(c *Client) error { _, err := c.Objects().List(t.Context(), configMaps, "ns", ""); return err }},
		"snapshot": {answer: list, ask: func(c *Client) error { _, err := c.Snapshot(t.Context(), refs); return err }},
	} {
		text, err := json.Marshal(tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		base := &wire{}
		c := base.client(Options{Namespace: "ns"})
		c.http.Transport = canned{string(text)}
		c.served.catalog = object.NewCatalog([]object.Resource{{GVK: refs[0].GVK(), Name: "configmaps", Namespaced: true}})
		once := testing.AllocsPerRun(3, func() {
			if _, err := decode(text); err != nil {
				t.Fatal(err)
			}
			if tt.writes {
				if _, err := json.Marshal(obj); err != nil {
					t.Fatal(err)
				}
			}
		})
		got := testing.AllocsPerRun(3, func() {
			if err := tt.ask(c); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.0f allocations, %.2f times one decoding", name, got, got/once)
		if got > 1.5*once {
			t.Errorf("%s: %.0f allocations where one decoding is %.0f", name, got, once)
		}
	}
}
