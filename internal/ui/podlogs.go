package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/ledger"
)

// WritePodLogs writes the logs of tests that are Pods as Helm's `test --logs`
// does: after an empty line, each container's under its name.
func WritePodLogs(w io.Writer, all []ledger.Run) error {
	var b strings.Builder
	b.WriteByte('\n')
	for _, run := range all {
		if !run.IsTest() || run.Object.Kind != "Pod" {
			continue
		}
		for _, pod := range run.Pods {
			for _, c := range pod.Containers {
				if c.Init {
					continue
				}
				fmt.Fprintf(&b, "POD LOGS: %s (%s)\n", pod.Name, c.Name)
				head, tail := c.Log.Kept()
				for _, line := range slices.Concat(head, tail) {
					b.WriteString(line.Text + "\n")
				}
				b.WriteByte('\n')
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
