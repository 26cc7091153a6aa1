package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// adopt adds the command that the arguments name, where it is none of ours but an
// installed plugin. Plugins are looked for only then.
func (a *app) adopt(root *cobra.Command, args []string) {
	name := firstWord(root.PersistentFlags(), args)
	if name == "" || name == "help" || strings.HasPrefix(name, "__") || a.env.text("HELM_NO_PLUGINS") == "1" {
		return
	}
	if known, _, err := root.Find([]string{name}); err != nil || known != root {
		return
	}
	found, err := plugin.Find(a.global.files.PluginFolders, plugin.CLI, name, func(p *plugin.Plugin) bool { return p.Verb == name })
	if err != nil || found == nil {
		return // there is no such command, which is said as always
	}
	root.AddCommand(a.pluginCommand(found))
}

// firstWord is the first argument that is no flag and no flag's value.
func firstWord(flags *pflag.FlagSet, args []string) string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case !strings.HasPrefix(arg, "-"):
			return arg
		case takesNext(flags, arg):
			i++
		}
	}
	return ""
}

// takesNext tells that a flag's value is the argument after it.
func takesNext(flags *pflag.FlagSet, arg string) bool {
	if strings.Contains(arg, "=") {
		return false
	}
	var flag *pflag.Flag
	if name, long := strings.CutPrefix(arg, "--"); long {
		flag = flags.Lookup(name)
	} else if len(arg) == 2 {
		flag = flags.ShorthandLookup(arg[1:])
	}
	return flag != nil && flag.NoOptDefVal == ""
}

// pluginCommand runs a plugin. Helm's own flags are taken out of its arguments,
// wherever they stand, and reach it as variables.
func (a *app) pluginCommand(p *plugin.Plugin) *cobra.Command {
	return &cobra.Command{
		Use: p.Verb, Short: p.Usage, DisableFlagParsing: true,
		RunE: a.run(func(cmd *cobra.Command, args []string) error {
			ours, theirs := splitFlags(cmd.Root().PersistentFlags(), args)
			if err := cmd.Root().PersistentFlags().Parse(ours); err != nil {
				return asUsage(err)
			}
			command, err := p.Do(theirs, a.settings())
			if err != nil {
				return err
			}
			code, err := command.Attach(cmd.Context(), a.pluginStreams())
			switch {
			case err != nil:
				return fmt.Errorf("running the plugin %s: %w", p.Name, err)
			case code != 0:
				return &pluginError{name: p.Name, code: code}
			}
			return nil
		}),
	}
}

// seenByBoth are the flags of ours that plugins see too; those that are
// theirs mean something else to plugins, to helm-diff for one.
var (
	seenByBoth = []string{"burst-limit", "qps", "content-cache"}
	theirOwn   = []string{"color", "colour", "profile", "timings"}
)

// splitFlags takes our flags out of a plugin's arguments, but for those that
// Helm leaves there, too.
func splitFlags(flags *pflag.FlagSet, args []string) (ours, theirs []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if long := strings.HasPrefix(arg, "--") && flags.Lookup(name) != nil && !slices.Contains(theirOwn, name); !long && arg != "-n" && !strings.HasPrefix(arg, "-n=") {
			theirs = append(theirs, arg)
			continue
		}
		words := []string{arg}
		if takesNext(flags, arg) && i+1 < len(args) {
			i++
			words = append(words, args[i])
		}
		ours = append(ours, words...)
		if slices.Contains(seenByBoth, name) {
			theirs = append(theirs, words...)
		}
	}
	return ours, theirs
}

// pluginError is a plugin that ended with an exit code of its own, which is ours then.
type pluginError struct {
	name string
	code int
}

// Error is Helm's sentence.
func (e *pluginError) Error() string { return fmt.Sprintf("plugin %q exited with error", e.name) }
