package kube

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// lossy is an API server for one object that loses answers.
type lossy struct {
	live map[string]any
	// lose tells for each write whether its answer is lost, drop whether the
	// request itself is.
	lose, drop []bool
	writes     int
}

func (l *lossy) serve(w http.ResponseWriter, r *http.Request) {
	if discovery(w, r) {
		return
	}
	if r.Method == http.MethodGet {
		if l.live == nil {
			refuse(w, 404, metav1.StatusReasonNotFound, "none")
			return
		}
		reply(w, l.live)
		return
	}
	n := l.writes
	l.writes++
	if n < len(l.drop) && l.drop[n] {
		panic(errBroken)
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	meta := sent["metadata"].(map[string]any)
	switch {
	case r.Method == http.MethodPost && l.live != nil:
		refuse(w, 409, metav1.StatusReasonAlreadyExists, "it is there")
		return
	case r.Method == http.MethodPut && meta["resourceVersion"] != l.live["metadata"].(map[string]any)["resourceVersion"]:
		refuse(w, 409, metav1.StatusReasonConflict, "modified")
		return
	}
	meta["uid"], meta["resourceVersion"] = "new", "2"
	meta["creationTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	l.live = sent
	if n < len(l.lose) && l.lose[n] {
		panic(errBroken)
	}
	reply(w, sent)
}

func TestCreateWhoseAnswerIsLost(t *testing.T) {
	leftover := func(text string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"k": text}, "metadata": map[string]any{
			"name": "a", "namespace": "ns", "uid": "old", "creationTimestamp": "1999-12-31T23:00:00Z", "resourceVersion": "1",
		}}
	}
	tests := map[string]struct {
		server lossy
		writes int
		fails  bool
	}{
		"stored":                      {lossy{lose: []bool{true}}, 1, false},
		"never arrived":               {lossy{drop: []bool{true}}, 2, false},
		"never arrived, then stored":  {lossy{drop: []bool{true, false}, lose: []bool{false, true}}, 2, false},
		"a leftover of equal content": {lossy{live: leftover("v"), drop: []bool{true}}, 1, true},
		"a leftover, no loss":         {lossy{live: leftover("v")}, 1, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour) // past the leftover's birth
				obj := manifest()
				_ = unstructured.SetNestedField(obj.Object, "v", "data", "k")
				got, err := (&wire{handle: tt.server.serve}).client(Options{}).Create(t.Context(), obj, metav1.CreateOptions{})
				if (err != nil) != tt.fails || tt.server.writes != tt.writes {
					t.Errorf("%v after %d writes", err, tt.server.writes)
				}
				if err == nil && got.GetUID() != "new" {
					t.Errorf("got %v", got)
				}
				if err != nil && !apierrors.IsAlreadyExists(err) {
					t.Errorf("not what there is: %v", err)
				}
			})
		})
	}
}

func TestMarkedCreateWhoseAnswerIsLost(t *testing.T) {
	tests := map[string]struct {
		theirs string
		fails  bool
	}{"ours, changed by a webhook": {"", false}, "another run's": {"other/1", true}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &lossy{lose: []bool{true}}
				w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet && server.live != nil {
						server.live["data"] = map[string]any{"cpu": "500m"} // 0.5 was sent
						if tt.theirs != "" {
							server.live["metadata"].(map[string]any)["annotations"] = map[string]any{"pintle.dev/run": tt.theirs}
						}
					}
					server.serve(w, r)
				}}
				obj := manifest()
				_ = unstructured.SetNestedField(obj.Object, "0.5", "data", "cpu")
				got, err := w.client(Options{}).Create(t.Context(), object.WithRunMark(obj, "op/1"), metav1.CreateOptions{})
				if (err != nil) != tt.fails || server.writes != 1 {
					t.Errorf("%v after %d writes", err, server.writes)
				}
				if err == nil && got.GetUID() != "new" {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestUpdateWhoseAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configMaps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
		server := &lossy{lose: []bool{true}, live: manifest().Object}
		server.live["metadata"].(map[string]any)["resourceVersion"] = "1"
		objects := (&wire{handle: server.serve}).client(Options{}).Objects()
		obj := manifest()
		obj.SetResourceVersion("1")
		_ = unstructured.SetNestedField(obj.Object, "v", "data", "k")
		got, err := objects.Update(t.Context(), configMaps, obj)
		if err != nil || got.GetResourceVersion() != "2" || server.writes != 2 {
			t.Errorf("%v, %v after %d writes", got, err, server.writes)
		}
		if _, err := objects.Update(t.Context(), configMaps, obj); !apierrors.IsConflict(err) {
			t.Errorf("a conflict with someone else: %v", err)
		}
	})
}
