// Package host changes the machine for the sandbox, and changes it back: mounts,
// cgroups, the bridge, nftables tables and kernel settings. It also says what a
// machine lacks to run one.
//
// Every function that removes something works from what the kernel says is
// there, not from what was recorded, and finds nothing to do without an error:
// after a crash, or on a machine that was restarted, the same call cleans up.
package host

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// run runs a program of the machine and returns what it printed. A failure
// carries what it said on stderr.
func run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(stderr.String()); said != "" {
			return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, said)
		}
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return stdout.String(), nil
}
