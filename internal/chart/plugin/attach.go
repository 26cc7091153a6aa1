package plugin

import (
	"context"
	"errors"
	"io"
	"os/exec"
)

// Do prepares a plugin that is a command as Helm does: variables in it and in its
// own arguments are expanded, those given included.
func (p *Plugin) Do(args []string, variables map[string]string) (Command, error) {
	own := p.variables()
	for name, value := range variables {
		own[name] = value
	}
	words, err := p.words(p.commands)
	if err != nil {
		return Command{}, err
	}
	for i := range words {
		words[i] = expand(words[i], own)
	}
	if p.IgnoreFlags {
		args = nil
	}
	return Command{Path: words[0], Args: append(words[1:], args...), Env: environment(own)}, nil
}

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Attach runs a command on the streams and returns its exit code. An error is
// one that kept it from running, or the end of the context.
func (c Command) Attach(ctx context.Context, streams Streams) (int, error) {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, streams.In, streams.Out, streams.Err
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.As(err, &ended):
		return ended.ExitCode(), nil
	}
	return 0, err
}
