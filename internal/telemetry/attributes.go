package telemetry

import (
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
)

// The attributes that are not ours are those of OpenTelemetry's semantic
// conventions. All are described in docs/opentelemetry.md.
const (
	attrNamespace = "k8s.namespace.name"
	attrPod       = "k8s.pod.name"
	attrContainer = "k8s.container.name"
	attrNode      = "k8s.node.name"
	attrRestarts  = "k8s.container.restart_count"
	attrImage     = "container.image.name"
	attrExitCode  = "process.exit.code"
	attrErrorType = "error.type"

	attrRelease   = "pintle.release"
	attrRevision  = "pintle.revision"
	attrOperation = "pintle.operation"
	attrBlock     = "pintle.block"
	attrStep      = "pintle.step"
	attrWhy       = "pintle.why"
	attrObject    = "pintle.object"
	attrHook      = "pintle.hook"
	attrEvent     = "pintle.event"
	attrWeight    = "pintle.weight"
	attrSuite     = "pintle.suite"
	attrAttempt   = "pintle.attempt"
	attrAttempts  = "pintle.attempts"
	attrOutcome   = "pintle.outcome"
	attrReason    = "pintle.reason"
	attrMessage   = "pintle.message"
	attrNote      = "pintle.note"
	attrCause     = "pintle.cause"
	attrState     = "pintle.state"
	attrSignal    = "pintle.signal"
	attrSkipped   = "pintle.steps_not_run"
)

// attributes are collected in order; empty ones are left out.
type attributes []*common.KeyValue

func (a *attributes) text(key, value string) {
	if value != "" {
		*a = append(*a, &common.KeyValue{Key: key, Value: textValue(value)})
	}
}

func (a *attributes) number(key string, value int) {
	*a = append(*a, &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(value)}}})
}

// workloads are the kinds whose names have an attribute of their own.
var workloads = map[string]string{
	"/Pod": attrPod, "batch/Job": "k8s.job.name", "batch/CronJob": "k8s.cronjob.name", "apps/Deployment": "k8s.deployment.name",
	"apps/StatefulSet": "k8s.statefulset.name", "apps/DaemonSet": "k8s.daemonset.name", "apps/ReplicaSet": "k8s.replicaset.name",
	"/Namespace": attrNamespace,
}

// object names a Kubernetes object.
func (a *attributes) object(ref object.Ref) {
	a.text(attrObject, ref.String())
	a.text(attrNamespace, ref.Namespace)
	if key := workloads[ref.Group+"/"+ref.Kind]; key != "" {
		a.text(key, ref.Name)
	}
}

func textValue(text string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: clean(text)}}
}

// clean replaces what is not UTF-8: a collector refuses a request for one such string.
func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// nanos is a time as OTLP has it; 0 for none.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}
