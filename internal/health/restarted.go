package health

import (
	"fmt"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ExplainRestarts tells how containers of the object's pods have ended that run
// again now: what Explain has no word for, since nothing is wrong at the moment.
func ExplainRestarts(root *unstructured.Unstructured, related Related) []Cause {
	e := explainer{related: related}
	var out []Cause
	for _, pod := range related.Pods(root) {
		c := Cause{Subject: object.RefOf(pod).String()}
		for _, con := range containers(content(pod)) {
			if child, ok := e.restarted(pod, con); ok {
				c.Children = append(c.Children, child)
			}
		}
		if len(c.Children) > 0 {
			out = append(out, c)
		}
	}
	return out
}

func (e explainer) restarted(pod *unstructured.Unstructured, con container) (Cause, bool) {
	end := con.lastEnd()
	if !con.running() || con.restarts() == 0 || end.number("exitCode", 0) == 0 {
		return Cause{}, false
	}
	f := con.ended(content(pod), end)
	return Cause{
		Subject: con.title(), Reason: f.reason, ExitCode: f.exitCode, Advice: f.advice, Lines: e.related.log(pod, con.name),
		Message: fmt.Sprintf("%s; it was restarted %s, and runs again", f.message, times(con.restarts())),
	}, true
}
