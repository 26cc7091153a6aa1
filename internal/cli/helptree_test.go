package cli

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestHelmsCommandLine holds our commands against all that Helm's --help
// shows: what is missing or different must be in a table of
// docs/differences.md, with its reason, and that table must hold nothing else.
// testdata/helm-help.tsv is compared with the real Helm by a test of e2e/.
func TestHelmsCommandLine(t *testing.T) {
	t.Setenv("HOME", "/home/user")
	for _, name := range []string{"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"} {
		t.Setenv(name, "")
	}
	tree, err := os.ReadFile("testdata/helm-help.tsv")
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, func(string) (string, bool) { return "", false })
	root := newRoot(a)
	root.InitDefaultCompletionCmd()
	listed := listedDifferences(t)
	found := map[string]bool{}
	for line := range strings.Lines(string(tree)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		what := difference(root, fields)
		if what == "" {
			continue
		}
		key := fields[0] + " | " + what
		if _, known := listed[key]; !known && !below(listed, fields[0]) {
			t.Errorf("docs/differences.md has no row `%s` | %s", fields[0], what)
		}
		found[key] = true
	}
	for key, reason := range listed {
		if !found[key] {
			t.Errorf("docs/differences.md lists %q, which is as Helm has it", key)
		}
		if len(reason) < 15 {
			t.Errorf("docs/differences.md gives no reason for %q", key)
		}
	}
}

// below tells that a command above this one is listed as a whole.
func below(listed map[string]string, command string) bool {
	for {
		i := strings.LastIndex(command, " ")
		if i < 0 {
			return false
		}
		command = command[:i]
		if _, known := listed[command+" | no such command"]; known {
			return true
		}
	}
}

// listedDifferences are the rows of the table, by command and difference.
func listedDifferences(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n## Commands and flags, one by one\n")
	if !found {
		t.Fatal("docs/differences.md has no section of commands and flags")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `helm ?([^`]*)` \\| (.*?) \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		listed[row[1]+" | "+strings.ReplaceAll(row[2], "`", "")] = row[3]
	}
	return listed
}

// difference words how a command, alias or flag of Helm's differs here; empty
// when it does not.
func difference(root *cobra.Command, fields []string) string {
	cmd := root
	if fields[0] != "" {
		var rest []string
		var err error
		if cmd, rest, err = root.Find(strings.Fields(fields[0])); err != nil || len(rest) > 0 || cmd == root {
			return map[bool]string{true: "no such command"}[fields[1] == "command"]
		}
	}
	switch fields[1] {
	case "alias":
		if !slices.Contains(cmd.Aliases, fields[2]) {
			return "no alias " + fields[2]
		}
	case "flag":
		return flagDifference(cmd, fields[2:])
	}
	return ""
}

func flagDifference(cmd *cobra.Command, fields []string) string {
	name, shorthand, bare, value := fields[0], fields[1], fields[2], fields[3]
	if name == "help" {
		return "" // cobra gives it to every command that runs
	}
	flag := cmd.Flags().Lookup(name)
	if flag == nil {
		flag = cmd.Root().PersistentFlags().Lookup(name)
	}
	switch {
	case flag == nil:
		return "no --" + name
	case flag.Shorthand != shorthand:
		return "--" + name + " has the shorthand " + flag.Shorthand
	case bare != "" && flag.NoOptDefVal != bare && bare != "unset":
		return "--" + name + " alone means " + flag.NoOptDefVal
	case !sameDefault(flag, value):
		return "--" + name + " is " + flag.DefValue + " by default"
	}
	return ""
}

// sameDefault knows that the help leaves out defaults that are nothing.
func sameDefault(flag *pflag.Flag, value string) bool {
	if value == "" {
		return slices.Contains([]string{"", "false", "0", "0s", "[]"}, flag.DefValue)
	}
	return flag.DefValue == value || value == "[]" && flag.DefValue == ""
}
