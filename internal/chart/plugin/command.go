package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
)

// Command is a plugin's program, ready to run.
type Command struct {
	Path string
	Args []string
	// Env is the whole environment, as os.Environ has it.
	Env []string
}

// PostRender prepares the command of a post-renderer as Helm does: variables
// in it and in its own arguments are expanded, HELM_PLUGIN_DIR and
// HELM_PLUGIN_NAME included.
func (p *Plugin) PostRender(args []string) (Command, error) {
	own := p.variables()
	words, err := p.words(p.commands)
	if err != nil {
		return Command{}, err
	}
	for i := range words {
		words[i] = expand(words[i], own)
	}
	return Command{Path: words[0], Args: append(words[1:], args...), Env: environment(own)}, nil
}

// Fetching is one URL that a getter is asked for, and what it may need.
type Fetching struct {
	URL, Scheme               string
	Username, Password        string
	PassCredentials           bool
	CertFile, KeyFile, CAFile string
	// Env are Helm's own variables, such as HELM_REPOSITORY_CONFIG.
	Env map[string]string
}

// Get prepares the command of a getter as Helm does: the program lies in the
// plugin's folder, and gets the certificate, key, CA and URL after its own
// arguments. It writes what it has fetched to standard output.
func (p *Plugin) Get(f Fetching) (Command, error) {
	at := slices.IndexFunc(p.protocols, func(c protocolCommand) bool { return slices.Contains(c.Protocols, f.Scheme) })
	if at < 0 && p.Runtime == subprocess {
		return Command{}, diag.Problem{Summary: fmt.Sprintf("the plugin %s has no command for %s://", p.Name, f.Scheme), File: p.file()}
	}
	var commands []platformCommand
	if at >= 0 {
		commands = p.protocols[at].PlatformCommand
	}
	words, err := p.words(commands)
	if err != nil {
		return Command{}, err
	}
	own := p.variables()
	for name, value := range f.Env {
		own[name] = value
	}
	own["HELM_PLUGIN_USERNAME"], own["HELM_PLUGIN_PASSWORD"] = f.Username, f.Password
	own["HELM_PLUGIN_PASS_CREDENTIALS_ALL"] = fmt.Sprint(f.PassCredentials)
	path := expand(words[0], own)
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.Folder, path)
	}
	return Command{Path: path, Args: append(words[1:], f.CertFile, f.KeyFile, f.CAFile, f.URL), Env: environment(own)}, nil
}

// words are the command and its arguments for this system, as they are written.
func (p *Plugin) words(commands []platformCommand) ([]string, error) {
	if p.Runtime != subprocess {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the plugin %s needs the runtime %s", p.Name, p.Runtime),
			Detail:  "plugins that are programs of their own (runtime subprocess) can be run", File: p.file(),
		}
	}
	chosen := choose(commands)
	if chosen == nil || strings.TrimSpace(chosen.Command) == "" {
		return nil, diag.Problem{
			Summary: fmt.Sprintf("the plugin %s has no command for %s/%s", p.Name, runtime.GOOS, runtime.GOARCH), File: p.file(),
		}
	}
	return append(strings.Split(chosen.Command, " "), chosen.Args...), nil
}

func (p *Plugin) file() string { return filepath.Join(p.Folder, manifestName) }

func (p *Plugin) variables() map[string]string {
	return map[string]string{"HELM_PLUGIN_DIR": p.Folder, "HELM_PLUGIN_NAME": p.Name}
}

// choose picks the command that fits this system best: system and machine,
// then system, then any.
func choose(commands []platformCommand) *platformCommand {
	var best *platformCommand
	rank := 0
	for i, c := range commands {
		system, machine := strings.EqualFold(c.OS, runtime.GOOS), strings.EqualFold(c.Arch, runtime.GOARCH)
		fits := 0
		switch {
		case system && machine:
			fits = 3
		case system && c.Arch == "":
			fits = 2
		case c.OS == "" && c.Arch == "":
			fits = 1
		}
		if fits > rank {
			best, rank = &commands[i], fits
		}
	}
	return best
}

func expand(text string, own map[string]string) string {
	return os.Expand(text, func(name string) string {
		if value, ok := own[name]; ok {
			return value
		}
		return os.Getenv(name)
	})
}

// environment is that of this process with our own variables on top.
func environment(own map[string]string) []string {
	env := os.Environ()
	for name, value := range own {
		env = append(env, name+"="+value)
	}
	return env
}

// Run runs a command once and returns what it wrote to its standard output.
// The program is killed when the context ends. What it complained of on its
// standard error is in the error, a *FailedError.
func (c Command) Run(ctx context.Context, input string) (string, string, error) {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	var out, complaints bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, strings.NewReader(input), &out, &complaints
	// What the program has started itself may hold its output open.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	said := strings.TrimSpace(complaints.String())
	switch {
	case ctx.Err() != nil:
		return "", said, context.Cause(ctx)
	case errors.Is(err, exec.ErrWaitDelay):
		return out.String(), said, nil
	case err != nil:
		return "", said, &FailedError{Err: err, Said: said}
	}
	return out.String(), said, nil
}

// FailedError is a program that could not be run or that failed.
type FailedError struct {
	Err error
	// Said is what it wrote to its standard error.
	Said string
}

// Error is the cause in one line.
func (e *FailedError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *FailedError) Unwrap() error { return e.Err }
