package plan_test

import (
	"testing"

	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Always
      containers:
      - name: main
        image: web:1
        args: [serve, --fast]
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: 1}}
`

// stored is the Deployment as the API server gives it back: with defaults, with
// quantities in its own spelling, and with our entry of managedFields.
const stored = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  uid: "1"
  labels: {app: web}
  managedFields:
  - manager: kube-controller-manager
    operation: Update
    subresource: status
    apiVersion: apps/v1
    fieldsV1: {"f:status": {"f:replicas": {}}}
  - manager: helm
    operation: Apply
    apiVersion: apps/v1
    fieldsV1:
      "f:metadata": {"f:labels": {"f:app": {}}}
      "f:spec":
        "f:replicas": {}
        "f:selector": {}
        "f:template":
          "f:metadata": {"f:labels": {"f:app": {}}}
          "f:spec":
            "f:restartPolicy": {}
            "f:containers":
              'k:{"name":"main"}':
                ".": {}
                "f:name": {}
                "f:image": {}
                "f:args": {}
                "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
                "f:resources": {"f:limits": {"f:cpu": {}, "f:memory": {}}, "f:requests": {"f:cpu": {}}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Always
      containers:
      - name: main
        image: web:1
        imagePullPolicy: IfNotPresent
        args: [serve, --fast]
        ports: [{containerPort: 80, protocol: TCP}]
        resources: {limits: {cpu: "1", memory: 1Gi}, requests: {cpu: "1"}}
status: {replicas: 2}
`

func parsedObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return obj
}

// set changes the field at a path; nil takes it away. A number goes into a list.
func set(obj *unstructured.Unstructured, value any, path ...any) {
	var at any = obj.Object
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case string:
			at = at.(map[string]any)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	last := path[len(path)-1].(string)
	if value == nil {
		delete(at.(map[string]any), last)
		return
	}
	at.(map[string]any)[last] = value
}

// An object is left alone only when an apply would change nothing.
func TestWhatIsLeftAlone(t *testing.T) {
	ours := []any{"metadata", "managedFields", 1}
	main := []any{"spec", "template", "spec", "containers", 0}
	entry := func(more ...any) []any { return append(ours[:len(ours):len(ours)], more...) }
	container := func(more ...any) []any { return append(main[:len(main):len(main)], more...) }
	owned := entry("fieldsV1", "f:spec", "f:template", "f:spec", "f:containers", `k:{"name":"main"}`)
	for name, tt := range map[string]struct {
		want   bool
		chart  func(o *unstructured.Unstructured)
		change func(o *unstructured.Unstructured)
	}{
		"as the chart wants it": {want: true},
		"the status changed":    {want: true, change: func(o *unstructured.Unstructured) { set(o, int64(0), "status", "replicas") }},
		"a default changed":     {want: true, change: func(o *unstructured.Unstructured) { set(o, "Recreate", "spec", "strategy", "type") }},

		"an owned field drifted":                      {change: func(o *unstructured.Unstructured) { set(o, int64(5), "spec", "replicas") }},
		"a quantity drifted":                          {change: func(o *unstructured.Unstructured) { set(o, "2", container("resources", "limits", "cpu")...) }},
		"a quantity is gone":                          {change: func(o *unstructured.Unstructured) { set(o, nil, container("resources", "limits", "memory")...) }},
		"an owned field is gone":                      {change: func(o *unstructured.Unstructured) { set(o, nil, "metadata", "labels", "app") }},
		"an owned list grew":                          {change: func(o *unstructured.Unstructured) { set(o, []any{"serve", "--fast", "--more"}, container("args")...) }},
		"it is being deleted":                         {change: func(o *unstructured.Unstructured) { set(o, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp") }},
		"the chart changed a field":                   {chart: func(o *unstructured.Unstructured) { set(o, "web:2", container("image")...) }},
		"the chart dropped a field":                   {chart: func(o *unstructured.Unstructured) { set(o, nil, container("args")...) }},
		"the chart has another field":                 {chart: func(o *unstructured.Unstructured) { set(o, "Always", container("imagePullPolicy")...) }},
		"the chart has what is only a default so far": {chart: func(o *unstructured.Unstructured) { set(o, "IfNotPresent", container("imagePullPolicy")...) }},
		"the chart has another version":               {chart: func(o *unstructured.Unstructured) { set(o, "apps/v1beta2", "apiVersion") }},

		"our entry is gone":            {change: func(o *unstructured.Unstructured) { set(o, "kubectl", entry("manager")...) }},
		"our entry is an update":       {change: func(o *unstructured.Unstructured) { set(o, "Update", entry("operation")...) }},
		"our entry is of a version":    {change: func(o *unstructured.Unstructured) { set(o, "apps/v1beta2", entry("apiVersion")...) }},
		"a field was taken over":       {change: func(o *unstructured.Unstructured) { set(o, nil, entry("fieldsV1", "f:spec", "f:replicas")...) }},
		"a container's was taken over": {change: func(o *unstructured.Unstructured) { set(o, nil, append(owned, "f:image")...) }},
		"an item was taken over": {change: func(o *unstructured.Unstructured) {
			set(o, nil, entry("fieldsV1", "f:spec", "f:template", "f:spec", "f:containers")...)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, live := parsedObject(t, deployment), parsedObject(t, stored)
			if tt.chart != nil {
				tt.chart(wanted)
			}
			if tt.change != nil {
				tt.change(live)
			}
			if got := plan.UpToDate(wanted, live); got != tt.want {
				t.Errorf("up to date: %t", got)
			}
		})
	}
}

// Whether a custom resource's field is a quantity, nobody has told us.
func TestQuantitiesOfCustomResourcesAreText(t *testing.T) {
	chart := parsedObject(t, `{apiVersion: example.com/v1, kind: Web, metadata: {name: web}, spec: {resources: {limits: {cpu: 1000m}}}}`)
	for text, want := range map[string]bool{"1000m": true, "1": false} {
		live := parsedObject(t, `
apiVersion: example.com/v1
kind: Web
metadata:
  name: web
  managedFields: [{manager: helm, operation: Apply, apiVersion: example.com/v1, fieldsV1: {"f:spec": {"f:resources": {"f:limits": {"f:cpu": {}}}}}}]
spec: {resources: {limits: {cpu: "`+text+`"}}}`)
		if got := plan.UpToDate(chart, live); got != want {
			t.Errorf("%s: up to date: %t", text, got)
		}
	}
}
