package health

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/pattern"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// claims explains those claims of a pod that are known and not bound.
func (e explainer) claims(p *unstructured.Unstructured) []Cause {
	var out []Cause
	for _, v := range content(p).at("spec").list("volumes") {
		name := v.at("persistentVolumeClaim").text("claimName")
		if name == "" {
			continue
		}
		claim := e.related.find("PersistentVolumeClaim", p.GetNamespace(), name)
		if claim == nil {
			continue
		}
		if c := e.claim(claim); c.Message != "" && c.Reason != "WaitForFirstConsumer" {
			out = append(out, c)
		}
	}
	return out
}

// claim explains why a PersistentVolumeClaim has no volume, by its events.
func (e explainer) claim(u *unstructured.Unstructured) Cause {
	o := content(u)
	c := base(u, claimReadiness(u, o, DefaultOptions()))
	if c.Message == "" || c.Reason == "Lost" {
		return c
	}
	for _, event := range e.related.about(u) {
		if f, ok := claimEvent(event, o); ok {
			c.Reason, c.Message, c.Advice = f.reason, f.message, f.advice
			return c
		}
	}
	if class, named := o.at("spec")["storageClassName"].(string); named && class != "" {
		c.Message = fmt.Sprintf("waiting for a volume of StorageClass %q", class)
	}
	return c
}

var missingClass = pattern.Lazy(`storageclass\.storage\.k8s\.io "([^"]+)" not found`)

func claimEvent(e Event, claim node) (finding, bool) {
	switch e.Reason {
	case "ProvisioningFailed":
		if m := missingClass().FindStringSubmatch(e.Message); m != nil {
			return finding{reason: e.Reason, message: fmt.Sprintf("the StorageClass %q does not exist", m[1]),
				advice: "correct storageClassName in the chart's values; `kubectl get storageclass` lists those that exist"}, true
		}
		return finding{reason: e.Reason, message: "the volume cannot be provisioned: " + sentence(e.Message),
			advice: "see the log of the volume provisioner"}, true
	case "FailedBinding":
		if class, _ := claim.at("spec")["storageClassName"].(string); class == "" {
			return finding{reason: e.Reason, message: "no volume fits the claim, it names no StorageClass, and the cluster has no default one",
				advice: "set storageClassName in the chart's values, mark a StorageClass as default, or create a PersistentVolume that fits"}, true
		}
		return finding{reason: e.Reason, message: "no volume fits the claim: " + sentence(e.Message),
			advice: "create a PersistentVolume that fits, or use a StorageClass that provisions"}, true
	case "WaitForFirstConsumer":
		return finding{reason: e.Reason, message: "its StorageClass binds it only when a pod uses it",
			advice: "nothing to do where a pod uses the claim; see that pod"}, true
	case "ExternalProvisioning":
		return finding{reason: e.Reason, message: "waiting for the volume provisioner: " + sentence(e.Message),
			advice: "check that the provisioner is running"}, true
	}
	return finding{}, false
}
