package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/spf13/cobra"
)

// dropInVariable makes pintle behave as the helm that tools drive, or keeps it
// from that; without it, the name under which it was called decides.
const dropInVariable = "PINTLE_AS_HELM"

// helmName is the name under which pintle is a drop-in for Helm.
const helmName = "helm"

// isDropIn tells whether whoever called us believes to have called Helm.
func isDropIn(program string, env Env) bool {
	if text, set := env(dropInVariable); set {
		if asked, err := strconv.ParseBool(text); err == nil {
			return asked
		}
	}
	return strings.TrimSuffix(filepath.Base(program), ".exe") == helmName
}

// program is the command that people repeat after us.
func (a *app) program() string {
	if a.asHelm {
		return helmName
	}
	return "pintle"
}

// says writes a sentence about what was done: ours, or Helm's where a tool may read it.
func (a *app) says(ours, helms string) error {
	text := ours
	if a.asHelm {
		text = helms
	}
	_, err := io.WriteString(a.streams.Out, text)
	return err
}

// helmCode is the exit code of a drop-in: Helm knows success and failure, and
// what a plugin of its own ends with.
func helmCode(err error, code int) int {
	var foreign *pluginError
	if code != exitDone && !errors.As(err, &foreign) {
		return exitFailed
	}
	return code
}

// helmFailures are the words with which Helm begins what goes wrong in a command.
var helmFailures = map[string]string{"install": "INSTALLATION FAILED: ", "upgrade": "UPGRADE FAILED: "}

// writeHelmError tells what went wrong as Helm does: a line that begins with
// "Error: ", in Helm's words where scripts look for them. Our own explanation
// follows, indented.
func (a *app) writeHelmError(cmd *cobra.Command, err error, problems diag.List) {
	first := helmWords(err)
	rest := problems
	if first == "" {
		first, rest = problems[0].Summary, diag.List{{Summary: "", Detail: problems[0].Detail}}
		if at := problems[0].Position(); at != "" {
			first = at + ": " + first
		}
		rest = append(rest, problems[1:]...)
	}
	var usage *usageError
	if !errors.As(err, &usage) {
		first = helmFailures[cmd.Name()] + first
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Error: %s\n", first)
	for _, p := range rest {
		if at := p.Position(); at != "" {
			p.Summary = at + ": " + p.Summary
		}
		for _, line := range strings.Split(p.Summary+"\n"+p.Detail, "\n") {
			if line != "" {
				b.WriteString("  " + line + "\n")
			}
		}
	}
	_, _ = io.WriteString(a.streams.Err, b.String()) // there is nowhere to tell that nothing can be told
}

// helmWords are Helm's own for what scripts ask about; "" for everything else.
func helmWords(err error) string {
	var none *lifecycle.NoReleaseError
	var busy *lock.BusyError
	var pending *lifecycle.PendingError
	var taken *lifecycle.NameTakenError
	var absent *lifecycle.NotDeployedError
	switch {
	case errors.As(err, &busy), errors.As(err, &pending):
		return "another operation (install/upgrade/rollback) is in progress"
	case errors.As(err, &taken):
		return "cannot reuse a name that is still in use"
	case errors.As(err, &absent):
		return fmt.Sprintf("%q has no deployed releases", absent.Name)
	case errors.As(err, &none), errors.Is(err, release.ErrNotFound):
		return "release: not found"
	}
	return ""
}
