package kube

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/object"
)

func TestTables(t *testing.T) {
	row := func(cells ...string) string {
		return fmt.Sprintf(`{"cells":["%s"]}`, strings.Join(cells, `","`))
	}
	answer := func(columns string, rows ...string) string {
		return fmt.Sprintf(`{"kind":"Table","columnDefinitions":[%s],"rows":[%s]}`, columns, strings.Join(rows, ","))
	}
	const podColumns = `{"name":"Name"},{"name":"Ready"},{"name":"Node","priority":1},{"name":"Age"}`
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api/v1/namespaces/shop/pods/one":
			fmt.Fprint(w, answer(podColumns, row("one", "1/1", "n1", "3s")))
		case "/api/v1/namespaces/shop/pods":
			fmt.Fprint(w, answer(podColumns, row("web-1", "1/1", "n1", "5s"), row("web-2", "0/1", "n2", "5s")))
		case "/api/v1/namespaces/shop/pods/gone":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"details":{"name":"gone"}}`)
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}}
	c := w.client(Options{Namespace: "shop"})
	c.served.catalog = object.NewCatalog([]object.Resource{{GVK: object.Ref{Version: "v1", Kind: "Pod"}.GVK(), Name: "pods", Namespaced: true}})
	pod := func(name string) object.Ref { return object.Ref{Version: "v1", Kind: "Pod", Name: name} }
	got, err := c.Tables(t.Context(), []object.Ref{pod("gone"), pod("one")}, []Selector{{"shop", "app=web"}, {"shop", "app=web"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Table{
		{Kind: "Pod", Version: "v1", Columns: []string{"Name", "Ready", "Age"}, Rows: [][]string{{"gone", "(not in the cluster)"}, {"one", "1/1", "3s"}}},
		{Kind: "Pod", Version: "v1", Related: true, Columns: []string{"Name", "Ready", "Age"}, Rows: [][]string{{"web-1", "1/1", "5s"}, {"web-2", "0/1", "5s"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
