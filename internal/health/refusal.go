package health

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/pattern"
)

// ExplainRefusal explains a request that the API server refused: a quota, an
// admission webhook or policy, a missing permission, an immutable field.
// subject names the object unless the error carries one of its own.
func ExplainRefusal(subject string, err error) Cause {
	var req *object.RequestError
	message := err.Error()
	if errors.As(err, &req) {
		subject, message = req.Ref.String(), req.Err.Error()
	}
	f := refusal(message)
	return Cause{Subject: subject, Reason: f.reason, Message: f.message, Advice: f.advice}
}

// refusal recognises why the API server refused an object, by its message:
// controllers repeat the same words in events and conditions.
func refusal(message string) finding {
	for _, r := range refusals {
		if m := r.pattern().FindStringSubmatch(message); m != nil {
			return r.explain(m)
		}
	}
	return finding{reason: "FailedCreate", message: sentence(message), patience: Limited}
}

// refusals are tried in order; what a quota or webhook says comes wrapped in
// the words of a general refusal.
var refusals = []struct {
	pattern func() *regexp.Regexp
	explain func(m []string) finding
}{
	{pattern.Lazy(`exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)$`), func(m []string) finding {
		return finding{reason: "ExceededQuota",
			message: fmt.Sprintf("the ResourceQuota %q is used up: requested %s, used %s, limited to %s", m[1], m[2], m[3], m[4]),
			advice:  "free some of the quota, raise it, or lower what the pods request"}
	}},
	{pattern.Lazy(`failed quota: ([^:]+): must specify (.*)$`), func(m []string) finding {
		return finding{reason: "ExceededQuota", patience: Limited,
			message: fmt.Sprintf("the ResourceQuota %q demands that every container says its %s", m[1], m[2]),
			advice:  "set resources.requests and resources.limits in the chart's values, or add a LimitRange with defaults"}
	}},
	{pattern.Lazy(`(?i)(?:error looking up service account \S+: )?serviceaccount "([^"]+)" not found`), func(m []string) finding {
		return finding{reason: "MissingServiceAccount",
			message: fmt.Sprintf("the ServiceAccount %q does not exist", m[1]),
			advice:  "create it, or correct serviceAccountName in the chart's values"}
	}},
	{pattern.Lazy(`(?s)admission webhook "([^"]+)" denied the request(?: without explanation)?(?:: (.*))?$`), func(m []string) finding {
		return finding{reason: "WebhookDenied", patience: Limited,
			message: strings.TrimSuffix(fmt.Sprintf("the admission webhook %q refused it: %s", m[1], sentence(m[2])), ": "),
			advice:  "change what the webhook objects to, or ask whoever runs it"}
	}},
	{pattern.Lazy(`(?s)failed calling webhook "([^"]+)": (?:failed to call webhook: )?(.*)$`), func(m []string) finding {
		return finding{reason: "WebhookUnavailable", patience: Limited,
			message: fmt.Sprintf("the admission webhook %q does not answer: %s", m[1], sentence(m[2])),
			advice:  "check the webhook's Service and pods, and its CA bundle"}
	}},
	{pattern.Lazy(`(?s)ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)$`), func(m []string) finding {
		return finding{reason: "PolicyDenied", patience: Limited,
			message: fmt.Sprintf("the ValidatingAdmissionPolicy %q refused it: %s", m[1], sentence(m[2])),
			advice:  "change what the policy objects to, or ask whoever wrote it"}
	}},
	{pattern.Lazy(`(?s)violates PodSecurity "([^"]+)": (.*)$`), func(m []string) finding {
		return finding{reason: "PodSecurity", patience: Limited,
			message: fmt.Sprintf("the namespace enforces the Pod Security Standard %q: %s", m[1], sentence(m[2])),
			advice:  "set the securityContext that the standard demands, or relax the namespace's pod-security label"}
	}},
	{pattern.Lazy(`because it is being terminated|namespace (\S+) is being terminated`), func([]string) finding {
		return finding{reason: "NamespaceTerminating", patience: Limited,
			message: "the namespace is being deleted", advice: "wait until it is gone and create it again"}
	}},
	{pattern.Lazy(`User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`), func(m []string) finding {
		where := " cluster-wide"
		if m[5] != "" {
			where = fmt.Sprintf(" in namespace %q", m[5])
		}
		return finding{reason: "Forbidden", patience: Never,
			message: fmt.Sprintf("%s may not %s %s%s", m[1], m[2], resourceName(m[3], m[4]), where),
			advice:  fmt.Sprintf("grant the verb %q on %s%s by a Role and RoleBinding", m[2], resourceName(m[3], m[4]), where)}
	}},
	{pattern.Lazy(`(?s)^.*(?:field is immutable|updates to \S+ spec for fields other than .* are forbidden).*$`), func(m []string) finding {
		return finding{reason: "Immutable", patience: Never,
			message: "a field that cannot be changed would change: " + sentence(m[0]),
			advice:  "delete the object first, or give it another name"}
	}},
	{pattern.Lazy(`(?i)((?:minimum|maximum) \S+ usage per \w+ is .*)$`), func(m []string) finding {
		return finding{reason: "LimitRange", patience: Limited,
			message: "a LimitRange of the namespace forbids it: " + strings.Trim(sentence(m[1]), "[]"),
			advice:  "fit the container's resources into the range"}
	}},
}

// waiting is the status of an object whose controller was refused. It never
// is Failed: a Deployment also repeats what an old ReplicaSet was told.
func (f finding) waiting() Status {
	return Status{State: InProgress, Reason: f.reason, Message: "its pods are refused: " + f.message, Patience: min(f.patience, Limited)}
}

// resourceName is "deployments.apps", or "pods" for the core group.
func resourceName(resource, group string) string {
	if group == "" {
		return resource
	}
	return resource + "." + group
}
