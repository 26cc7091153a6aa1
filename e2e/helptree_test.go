package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateHelpTree = flag.Bool("update-help-tree", false, "write what Helm's --help says into the file that pintle's commands are compared with")

// helpTree is where a test of internal/cli finds Helm's commands, aliases,
// flags, shorthands and defaults, one a line.
const helpTree = "../internal/cli/testdata/helm-help.tsv"

// TestHelpTree makes sure that what pintle's commands are compared with is what
// the Helm beside us says, all through its --help.
func TestHelpTree(t *testing.T) {
	helm := filepath.Join(findPrograms(t), "helm")
	var got strings.Builder
	for _, line := range walkHelp(t, helm, nil) {
		got.WriteString(line + "\n")
	}
	if *updateHelpTree {
		if err := os.WriteFile(helpTree, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(helpTree)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s is not what helm --help says; run the test with -update-help-tree (-file +helm):\n%s", helpTree, diff)
	}
}

// walkHelp asks a command for its help, and then those below it. Lines are
// command, kind, name, and for flags shorthand, value without one, default.
func walkHelp(t *testing.T, helm string, command []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), helm, append(slices.Clone(command), "--help")...)
	cmd.Env = []string{"HOME=/home/user", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm %v --help: %v", command, err)
	}
	text := string(out)
	name := strings.Join(command, " ")
	lines := []string{tabbed(name, "command", "")}
	if aliases := section(text, "Aliases:"); len(aliases) > 0 {
		for _, alias := range strings.Split(strings.TrimSpace(aliases[0]), ", ")[1:] {
			lines = append(lines, tabbed(name, "alias", alias))
		}
	}
	for _, line := range section(text, "Flags:") {
		lines = append(lines, flagLine(t, name, line))
	}
	for _, line := range section(text, "Available Commands:") {
		below := strings.Fields(line)[0]
		if below != "help" {
			lines = append(lines, walkHelp(t, helm, append(slices.Clone(command), below))...)
		}
	}
	return lines
}

func tabbed(fields ...string) string { return strings.Join(fields, "\t") }

// section are the lines below a title, up to an empty one.
func section(text, title string) []string {
	_, rest, found := strings.Cut(text, "\n"+title+"\n")
	if !found {
		return nil
	}
	body, _, _ := strings.Cut(rest, "\n\n")
	return strings.Split(strings.TrimRight(body, "\n"), "\n")
}

// A flag as pflag shows it: shorthand, name, type, value without one, usage.
var flagForm = regexp.MustCompile(`^ +(?:-(\w), )?--([\w-]+)(?: ([\w]+))?(?:\[=("?[^\]"]*"?)\])?(?: {2,}(.*))?$`)

var defaultForm = regexp.MustCompile(`\(default (.*)\)$`)

func flagLine(t *testing.T, command, line string) string {
	t.Helper()
	m := flagForm.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("helm %s: this is no flag: %q", command, line)
	}
	value := ""
	if d := defaultForm.FindStringSubmatch(m[5]); d != nil {
		value = strings.Trim(d[1], `"`)
	}
	return tabbed(command, "flag", m[2], m[1], strings.Trim(m[4], `"`), value)
}
