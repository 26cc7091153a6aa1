package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestResourceOf(t *testing.T) {
	for path, want := range map[string]string{
		"/version":                                  "/version",
		"/apis":                                     "/apis",
		"/apis/apps/v1":                             "/apis/apps/v1",
		"/api/v1/namespaces":                        "namespaces",
		"/api/v1/namespaces/shop":                   "namespaces",
		"/api/v1/namespaces/shop/configmaps":        "configmaps",
		"/api/v1/namespaces/shop/pods/web/log":      "pods/log",
		"/apis/apps/v1/namespaces/shop/deployments": "deployments",
		"/apis/rbac.authorization.k8s.io/v1/clusterroles/web":                       "clusterroles",
		"/apis/coordination.k8s.io/v1/namespaces/shop/leases/pintle.web":            "leases",
		"/apis/authorization.k8s.io/v1/selfsubjectrulesreviews":                     "selfsubjectrulesreviews",
		"/apis/stable.example.com/v1/namespaces/namespaces/namespaces/namespaces":   "namespaces",
		"/apis/stable.example.com/v1/namespaces/shop/crontabs/my-cron-object/scale": "crontabs/scale",
	} {
		if got := resourceOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestExchangesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/missing") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, `{"kind":"ConfigMap"}`)
		}}
		var told []Exchange
		c := w.client(Options{Exchanged: func(x Exchange) { told = append(told, x) }})
		configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
		if _, err := c.Objects().Get(t.Context(), configMaps, "shop", "web"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Objects().Get(t.Context(), configMaps, "shop", "missing"); err == nil {
			t.Fatal("a missing object was found")
		}
		for i := range told {
			told[i].Began = time.Time{}
		}
		want := []Exchange{
			{Verb: "get", Resource: "configmaps", Status: 200, Took: time.Second, Bytes: 20},
			{Verb: "get", Resource: "configmaps", Status: 404},
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	})
}
