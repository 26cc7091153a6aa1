package cli

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/spf13/cobra"
)

// noArgs is for commands without arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return asUsage(fmt.Errorf("%s takes no arguments, and there is %q\nusage: %s", cmd.CommandPath(), args[0], cmd.UseLine()))
	}
	return nil
}

// needs is for commands with that many arguments; most of 0 means any number
// above least.
func needs(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := "\nusage: " + cmd.UseLine()
		switch {
		case len(args) < least:
			return asUsage(fmt.Errorf("%s needs %s%s", cmd.CommandPath(), what, usage))
		case most > 0 && len(args) > most:
			return asUsage(fmt.Errorf("%s needs %s, and there is %q too%s", cmd.CommandPath(), what, args[most], usage))
		}
		return nil
	}
}

// subcommand is for commands that only group others.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q in %s", args[0], cmd.CommandPath())
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return asUsage(fmt.Errorf("%s\nsee `%s --help`", text, cmd.CommandPath()))
}

// nameAndChart reads the arguments [NAME] CHART. Without a name one is made as
// the flags say; fallback is taken where they say nothing.
func (n *nameFlags) nameAndChart(args []string, fallback string, now time.Time) (name, chart string, err error) {
	if len(args) == 2 {
		switch {
		case n.generate:
			return "", "", asUsage(fmt.Errorf("a name cannot be given together with --generate-name"))
		case n.template != "":
			return "", "", asUsage(fmt.Errorf("a name cannot be given together with --name-template"))
		}
		return args[0], args[1], nil
	}
	chart = args[0]
	switch {
	case n.template != "":
		name, err = templatedName(n.template)
	case n.generate:
		name = generatedName(chart, now)
	case fallback != "":
		name = fallback
	default:
		err = asUsage(fmt.Errorf("a name and a chart are needed; to have a name made, use --generate-name"))
	}
	return name, chart, err
}

// generatedName is the chart's name and the second, as in Helm.
func generatedName(chart string, now time.Time) string {
	base := filepath.Base(chart)
	if base == "." || base == "" {
		base = "chart"
	}
	base, _, _ = strings.Cut(base, ".")
	return fmt.Sprintf("%s-%d", base, now.Unix())
}

func templatedName(text string) (string, error) {
	t, err := template.New("name-template").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return "", asUsage(fmt.Errorf("reading --name-template: %w", err))
	}
	var name bytes.Buffer
	if err := t.Execute(&name, nil); err != nil {
		return "", asUsage(fmt.Errorf("making a name from --name-template: %w", err))
	}
	return name.String(), nil
}
