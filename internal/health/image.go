package health

import (
	"fmt"
	"strings"
)

// imageError explains why an image could not be fetched. The kubelet writes
// the registry's answer with ErrImagePull; with ImagePullBackOff newer ones
// repeat it behind the image's name and older ones do not.
func imageError(c container, _ node, message string) finding {
	f := finding{
		reason:   c.waiting().text("reason"),
		patience: Limited,
		message:  fmt.Sprintf("the image %q cannot be pulled", c.image()),
		advice:   "see the pod's events for the registry's answer (kubectl describe pod)",
	}
	for _, k := range pullAnswers {
		if containsAny(message, k.signs) {
			f.message += ": " + k.text
			f.advice = k.advice
			return f
		}
	}
	if detail := pullDetail(message); detail != "" {
		f.message += ": " + detail
	}
	return f
}

// pullAnswers are the answers of registries that have a plain meaning, most
// telling first.
var pullAnswers = []struct {
	signs        []string
	text, advice string
}{
	{[]string{"no match for platform", "no matching manifest for"}, "it does not exist for this node's architecture",
		"build the image for the architecture of the nodes"},
	{[]string{"toomanyrequests", "429 Too Many Requests"}, "the registry limits how often it answers",
		"wait, log in to the registry with an imagePullSecret, or use a mirror"},
	{[]string{"no such host", "server misbehaving"}, "the registry's host name cannot be resolved",
		"check the registry's name in the image reference, and the nodes' DNS"},
	{[]string{"x509:", "certificate"}, "the registry's certificate is not trusted by the node",
		"give the node the registry's CA"},
	{[]string{"connection refused", "i/o timeout", "no route to host", "network is unreachable", "EOF", "TLS handshake timeout"},
		"the registry cannot be reached from the node", "check that the node can reach the registry"},
	{[]string{"insufficient_scope", "authorization failed", ": 401", "unauthorized", ": 403", "denied", "no basic auth credentials"},
		"the registry refuses access, or there is no such image",
		"check the image's name, and the imagePullSecrets of the pod or its ServiceAccount"},
	{[]string{"not found", "manifest unknown", "does not exist"}, "no such image or tag in the registry",
		"check the image's name and tag"},
}

// pullDetail cuts the kubelet's preamble off an answer that no rule knows.
func pullDetail(message string) string {
	for _, marker := range []string{"desc = ", "ErrImagePull: "} {
		if i := strings.LastIndex(message, marker); i >= 0 {
			message = message[i+len(marker):]
		}
	}
	if strings.HasPrefix(message, "Back-off pulling image") || strings.HasPrefix(message, "trying and failing to pull") {
		return ""
	}
	return strings.TrimSpace(message)
}

func imageNeverPulled(c container, _ node, _ string) finding {
	return finding{
		reason:   "ErrImageNeverPull",
		patience: Never,
		message:  fmt.Sprintf("the image %q is not on the node, and imagePullPolicy Never forbids to pull it", c.image()),
		advice:   "load the image onto the node, or set imagePullPolicy to IfNotPresent",
	}
}

func invalidImage(c container, _ node, _ string) finding {
	return finding{
		reason:   "InvalidImageName",
		patience: Never,
		message:  fmt.Sprintf("%q is not a valid image name", c.image()),
		advice:   invalidImageAdvice(c.image()),
	}
}

func invalidImageAdvice(image string) string {
	name, _, _ := strings.Cut(image, "@")
	switch {
	case name != strings.ToLower(name):
		return "repository names are lower case; correct the image in the chart's values"
	case strings.HasSuffix(name, ":"), strings.HasPrefix(name, ":"):
		return "the repository or the tag is empty; a value that the chart expects is probably not set"
	default:
		return "correct the image in the chart's values"
	}
}

func containsAny(text string, signs []string) bool {
	for _, s := range signs {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
