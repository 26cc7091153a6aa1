package health

import (
	"testing"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestHindrance(t *testing.T) {
	job := parse(t, "{apiVersion: batch/v1, kind: Job, metadata: {name: a, namespace: shop, uid: u}}")
	pod := parse(t, "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, uid: u}, spec: {containers: [{name: main}]}}")
	cases := []struct {
		name    string
		of      *unstructured.Unstructured
		reason  string
		message string
		want    Status
	}{
		{"no account", job, "FailedCreate", `Error creating: pods "a-" is forbidden: error looking up service account shop/x: serviceaccount "x" not found`,
			Status{Reason: "MissingServiceAccount", Message: `its pods are refused: the ServiceAccount "x" does not exist`}},
		{"webhook", job, "FailedCreate", `Error creating: admission webhook "w" denied the request: no`,
			Status{Reason: "WebhookDenied", Message: `its pods are refused: the admission webhook "w" refused it: no`, Patience: Limited}},
		{"no volume", pod, "FailedMount", `MountVolume.SetUp failed for volume "v" : configmap "x" not found`,
			Status{Reason: "FailedMount", Message: `the ConfigMap "x" does not exist`}},
		{"nothing", job, "SuccessfulCreate", "Created pod: a-1", Status{}},
		{"of another time", pod, "Scheduled", "assigned", Status{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			about := object.RefOf(c.of)
			events := []Event{{About: about, UID: "u", Reason: c.reason, Message: c.message}, {About: about, UID: "another", Reason: "FailedMount", Message: "old"}}
			got, ok := Hindrance(c.of, events)
			if ok != (c.want.Message != "") || ok && got != c.want {
				t.Errorf("got %v %+v, want %+v", ok, got, c.want)
			}
		})
	}
}
