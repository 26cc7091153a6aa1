package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// chart writes a chart of the given templates and gives its folder.
func (b *bench) chart(files map[string]string) (string, error) {
	dir, err := os.MkdirTemp(b.home, "chart")
	if err != nil {
		return "", err
	}
	all := map[string]string{"Chart.yaml": "apiVersion: v2\nname: bench\nversion: 1.0.0\n", "values.yaml": "value: first\n"}
	for name, text := range files {
		all["templates/"+name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func configMaps(n int) map[string]string {
	return map[string]string{"cm.yaml": fmt.Sprintf(`{{- range $i := until %d }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm-{{ $i }}}
data: {key: "{{ $.Values.value }}-{{ $i }}", file: {{ repeat 20 "some content " | quote }}}
{{- end }}
`, n)}
}

// chain is a chart of n Jobs that run one after another.
func chain(n int) map[string]string {
	return map[string]string{"hooks.yaml": fmt.Sprintf(`{{- range $i := until %d }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: hook-{{ printf "%%02d" $i }}
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "{{ $i }}"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo hello {{ $i }}"]}]
{{- end }}
`, n)}
}

// probed is a chart of one Deployment whose pods have a readiness probe.
func probed(replicas int) map[string]string {
	return map[string]string{"d.yaml": fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: probed}
spec:
  replicas: %d
  selector: {matchLabels: {app: probed}}
  template:
    metadata: {labels: {app: probed}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: "busybox:1.36"
        command: [sh, -c, "sleep 1; touch /tmp/ready; exec sleep 3600"]
        readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1}
`, replicas)}
}

// testPods is a chart of n tests that succeed at once, of one weight.
func testPods(n int) map[string]string {
	return map[string]string{
		"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tested}\n",
		"tests/tests.yaml": fmt.Sprintf(`{{- range $i := until %d }}
---
apiVersion: v1
kind: Pod
metadata:
  name: test-{{ $i }}
  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo hello {{ $i }}"]}]
{{- end }}
`, n),
	}
}

// kinds is a chart of one object of each of 40 kinds, without a pod that runs.
func kinds() map[string]string {
	return map[string]string{"all.yaml": fortyKinds}
}
