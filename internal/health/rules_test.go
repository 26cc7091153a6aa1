package health

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// wants compares the start of what a rule says, message and advice joined.
func wants(t *testing.T, input string, f finding, want string) {
	t.Helper()
	got := f.message
	if f.advice != "" {
		got += " -> " + f.advice
	}
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\ngot  %s\nwant %s", input, got, want)
	}
}

func TestImageAnswers(t *testing.T) {
	c := container{spec: node{"image": "acme/app:1"}, status: node{}}
	for message, want := range map[string]string{
		`rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/acme/app:1": no match for platform in manifest: not found`: `the image "acme/app:1" cannot be pulled: it does not exist for this node's architecture`,
		`failed to copy: httpReadSeeker: failed open: unexpected status code https://x: 429 Too Many Requests - toomanyrequests`:                 `the image "acme/app:1" cannot be pulled: the registry limits how often it answers`,
		`failed to do request: Head "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`:           `the image "acme/app:1" cannot be pulled: the registry's certificate is not trusted`,
		`failed to do request: Head "https://r/v2/": dial tcp 192.0.2.1:443: connect: connection refused`:                                        `the image "acme/app:1" cannot be pulled: the registry cannot be reached`,
		`failed to authorize: failed to fetch oauth token: unexpected status: 401`:                                                               `the image "acme/app:1" cannot be pulled: the registry refuses access`,
		`rpc error: code = Unknown desc = disk is full`:                                                                                          `the image "acme/app:1" cannot be pulled: disk is full -> see the pod's events`,
		`Back-off pulling image "acme/app:1"`: `the image "acme/app:1" cannot be pulled -> see the pod's events`,
	} {
		wants(t, message, imageError(c, nil, message), want)
	}
}

func TestInvalidImageAdvice(t *testing.T) {
	for image, want := range map[string]string{
		"Acme/App:1":         "repository names are lower case",
		"acme/app:":          "the repository or the tag is empty",
		":1":                 "the repository or the tag is empty",
		"acme app":           "correct the image",
		"acme/app@sha256:XY": "correct the image",
	} {
		if got := invalidImageAdvice(image); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", image, got)
		}
	}
}

func TestRuntimeFailures(t *testing.T) {
	const head = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
	for message, want := range map[string]string{
		head + `exec: "nope": executable file not found in $PATH: unknown`:                              `the command "nope" does not exist in the image`,
		head + `exec: "/app/run.sh": stat /app/run.sh: no such file or directory: unknown`:              `the command "/app/run.sh" does not exist in the image`,
		head + `exec: "/etc/passwd": permission denied: unknown`:                                        `the command "/etc/passwd" may not be executed`,
		head + `exec /app: exec format error`:                                                           `the command is built for another architecture`,
		head + `error mounting "/x" to rootfs at "/etc/hosts": not a directory: unknown`:                `the container could not be started: error mounting "/x" to rootfs at "/etc/hosts": not a directory -> a file is mounted over a folder`,
		`failed to start containerd task "main": cannot start a stopped process: unknown`:               `the container could not be started: failed to start containerd task "main": cannot start a stopped process`,
		`Error: failed to create containerd task: exec: \"/bin/x\": executable file not found in $PATH`: `the command "/bin/x" does not exist in the image`,
	} {
		wants(t, message, runtimeFailure(message), want)
	}
}

func TestExitTexts(t *testing.T) {
	for _, c := range []struct {
		code, signal int
		want         string
	}{
		{0, 0, "ended with exit code 0: it succeeded"},
		{1, 0, "ended with exit code 1 -> see its log"},
		{126, 0, "ended with exit code 126: the command was found but could not be executed"},
		{127, 0, "ended with exit code 127: command not found"},
		{137, 0, "was killed (SIGKILL, exit code 137)"},
		{143, 0, "was asked to stop, and did (SIGTERM, exit code 143)"},
		{139, 0, "crashed on a bad memory address (SIGSEGV, exit code 139)"},
		{2, 9, "was killed (SIGKILL, exit code 2)"},
		{152, 0, "was ended by signal 24 (exit code 152)"},
		{200, 0, "ended with exit code 200"},
	} {
		var f finding
		f.message, f.advice = exitText(c.code, c.signal)
		wants(t, fmt.Sprint(c.code, c.signal), f, c.want)
	}
}

func TestNodeReasons(t *testing.T) {
	for why, want := range map[string]string{
		"2 Insufficient memory":                                        "on 2 nodes not enough free memory",
		"1 node(s) had untolerated taint {dedicated: db}":              "on 1 node an untolerated taint {dedicated: db}",
		"2 node(s) didn't match pod anti-affinity rules":               "on 2 nodes the pod's anti-affinity excludes",
		"2 node(s) didn't match pod affinity rules":                    "on 2 nodes the pods that it wants to be near",
		"2 node(s) didn't match pod topology spread constraints":       "on 2 nodes the topology spread constraints do not hold",
		"2 node(s) didn't find available persistent volumes to bind":   "on 2 nodes no volume that its PersistentVolumeClaim could bind",
		"2 node(s) had volume node affinity conflict":                  "on 2 nodes its volume lives elsewhere",
		"2 node(s) didn't have free ports for the requested pod ports": "on 2 nodes the host port is taken",
		"2 node(s) were unschedulable":                                 "on 2 nodes scheduling is switched off (cordoned)",
		"2 Too many pods":                                              "on 2 nodes the limit of pods is reached",
		"2 node(s) are out of this world":                              "on 2 nodes node(s) are out of this world",
		"pod has unbound immediate PersistentVolumeClaims":             "waiting for a PersistentVolumeClaim to be bound",
		"3 Insufficient cpu":                                           "not enough free cpu",
	} {
		if got, _ := nodeReason(why, "3"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", why, got)
		}
	}
	wants(t, "plain", unschedulable("no nodes available to schedule pods", nil), "no node can take the pod: no nodes available to schedule pods")
}

func TestPodEvents(t *testing.T) {
	for _, c := range []struct{ reason, message, want string }{
		{"FailedMount", `MountVolume.SetUp failed for volume "cfg" : configmap "settings" not found`, `the ConfigMap "settings" does not exist`},
		{"FailedMount", `MountVolume.SetUp failed for volume "cfg" : references non-existent config key: app.yaml`, `a ConfigMap that it mounts has no key "app.yaml"`},
		{"FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0`, `a volume cannot be mounted: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0 -> the volume is still attached`},
		{"FailedMount", `Unable to attach or mount volumes: timed out`, `a volume cannot be mounted: Unable to attach`},
		{"FailedCreatePodSandBox", `Failed to create pod sandbox: plugin type="bridge" failed`, `the node cannot set up the pod: Failed to create pod sandbox`},
		{"FailedScheduling", `0/1 nodes are available: 1 Insufficient cpu.`, `the only node cannot take the pod: not enough free cpu`},
		{"Unhealthy", `Startup probe failed: HTTP probe failed with statuscode: 503`, `its startup probe fails: HTTP probe failed with statuscode: 503`},
	} {
		f, ok := podEvent([]Event{{Reason: "Pulled"}, {Reason: c.reason, Message: c.message}}, nil)
		if !ok {
			t.Errorf("%s: not recognised", c.message)
		}
		wants(t, c.message, f, c.want)
	}
	if f, ok := podEvent([]Event{{Reason: "Scheduled"}}, nil); ok {
		t.Errorf("got %v for an event without trouble", f)
	}
}

func TestClaimEvents(t *testing.T) {
	named := node{"spec": map[string]any{"storageClassName": "fast"}}
	for _, c := range []struct {
		reason, message string
		claim           node
		want            string
	}{
		{"ProvisioningFailed", "no space left", named, "the volume cannot be provisioned: no space left -> see the log of the volume provisioner"},
		{"FailedBinding", "no persistent volumes available for this claim and no storage class is set", node{}, "no volume fits the claim, it names no StorageClass"},
		{"FailedBinding", "volume too small", named, "no volume fits the claim: volume too small"},
		{"ExternalProvisioning", "Waiting for a volume to be created", named, "waiting for the volume provisioner"},
	} {
		f, ok := claimEvent(Event{Reason: c.reason, Message: c.message}, c.claim)
		if !ok {
			t.Errorf("%s: not recognised", c.reason)
		}
		wants(t, c.reason, f, c.want)
	}
}

func TestTroubleAndHope(t *testing.T) {
	cases := []struct {
		status            Status
		trouble, hopeless bool
	}{
		{ready(""), false, false},
		{progress("Running", "1 active"), false, false},
		{progress("Unschedulable", "no room"), true, false},
		{Status{Reason: "CrashLoopBackOff", Patience: Limited}, true, false},
		{failed("InvalidImageName", "bad"), true, true},
	}
	for _, c := range cases {
		if c.status.Trouble() != c.trouble || c.status.Hopeless() != c.hopeless {
			t.Errorf("%+v: trouble %v, hopeless %v", c.status, c.status.Trouble(), c.status.Hopeless())
		}
	}
}

// owned is an object that another owns.
func owned(t *testing.T, kind, name, owner, extra string) *unstructured.Unstructured {
	return parse(t, fmt.Sprintf(`
apiVersion: v1
kind: %s
metadata:
  name: %s
  namespace: shop
  uid: uid-%s
  ownerReferences: [{kind: X, name: x, uid: uid-%s}]
%s`, kind, name, name, owner, extra))
}

func TestPodsOfADeployment(t *testing.T) {
	d := parse(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, uid: uid-web}}")
	revision := func(n string) string { return "  annotations: {deployment.kubernetes.io/revision: \"" + n + "\"}\n" }
	r := Related{Objects: []*unstructured.Unstructured{
		owned(t, "ReplicaSet", "rs-9", "web", revision("9")), owned(t, "ReplicaSet", "rs-10", "web", revision("10")),
		owned(t, "Pod", "old", "rs-9", ""), owned(t, "Pod", "a", "rs-10", ""), owned(t, "Pod", "b", "rs-10", ""),
		owned(t, "Pod", "leaving", "rs-10", "  deletionTimestamp: \"2026-11-23T15:00:00Z\"\n"), owned(t, "Pod", "other", "x", ""),
	}}
	var names []string
	for _, p := range r.Pods(d) {
		names = append(names, p.GetName())
	}
	if got := strings.Join(names, " "); got != "b a" {
		t.Errorf("pods of the Deployment: %s", got)
	}
	if got := r.Pods(r.Objects[2]); len(got) != 1 || got[0].GetName() != "old" {
		t.Errorf("a pod is its own pod, got %v", got)
	}
	if got := r.Pods(parse(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: new, uid: uid-new}}")); got != nil {
		t.Errorf("a Deployment without ReplicaSets has pods: %v", got)
	}
}

// TestStrangeObjects: fields of types that no API server sends are taken for
// missing, and nothing panics.
func TestStrangeObjects(t *testing.T) {
	for _, kind := range []string{"Pod", "Job", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Service", "PersistentVolumeClaim", "Widget"} {
		for _, status := range []string{"null", "[]", "x", "{conditions: {}}", "{conditions: [x, 1]}", "{containerStatuses: [{state: x}, 3], replicas: many}"} {
			group := map[string]string{"Job": "batch/v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1"}[kind]
			if group == "" {
				group = "v1"
			}
			u := parse(t, fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: x}, spec: {containers: [{name: main}, y]}, status: %s}", group, kind, status))
			Readiness(u, Options{Jobs: true})
			Completion(u)
			PodTrouble(u)
			if got := Explain(u, Related{Objects: []*unstructured.Unstructured{u}}).Subject; got != object.RefOf(u).String() {
				t.Errorf("subject %s", got)
			}
		}
	}
}
