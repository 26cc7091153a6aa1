package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
	"helm.sh/helm/v4/pkg/chart/common"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// Confinement has templates rendered by a process of their own, which can be
// ended: Helm's engine cannot be stopped, and what fills a stack or the memory
// takes its whole process with it. The zero value renders in this process.
type Confinement struct {
	// Timeout is how long all templates may take together, what they look up
	// included.
	Timeout time.Duration
	// Command starts a process that calls ServeTemplates with its standard streams.
	Command []string
}

var errRenderTime = errors.New("the time for rendering is over")

// run renders in a process of its own. Errors of the engine have its words;
// limits are diag.Problem; the error of opts.Lookup is in the chain.
func (c Confinement) run(ctx context.Context, chrt *helmchart.Chart, values common.Values, opts RenderOptions) (map[string]string, error) {
	request, err := wireRequest(chrt, values, opts)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, c.Timeout, errRenderTime)
	defer cancel()
	p, err := c.start(limited)
	if err != nil {
		return nil, fmt.Errorf("starting a process to render in: %w", err)
	}
	p.limits, p.lookup, p.limited = opts.Limits, opts.Lookup, limited
	files, err := p.converse(request)
	ended := p.end()
	var said *engineError
	switch {
	case err == nil:
		return files, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &said) || diag.Problems(err) != nil:
		return nil, err
	case errors.Is(context.Cause(limited), errRenderTime):
		return nil, p.tooLong(c.Timeout)
	case errors.Is(err, errWire):
		return nil, fmt.Errorf("rendering in a process of its own: %w", err)
	}
	return nil, p.died(ended)
}

func wireRequest(chrt *helmchart.Chart, values common.Values, opts RenderOptions) (renderRequest, error) {
	merged, _ := values["Values"].(common.Values)
	release, ok := values["Release"].(map[string]any)
	if !ok {
		return renderRequest{}, errors.New("templates would see no release")
	}
	limits := map[string]any{}
	for name, value := range opts.Limits.set {
		limits[string(name)] = value
	}
	return renderRequest{
		Chart: packChart(chrt), Values: merged, Release: release, Capabilities: opts.Capabilities,
		EnableDNS: opts.EnableDNS, LintMode: opts.lint, Lookups: opts.Lookup != nil, Limits: limits,
	}, nil
}

// renderer is a process that renders.
type renderer struct {
	speaker
	in, out *os.File
	errors  *keeper
	// done gets the end of the process.
	done    chan error
	limited context.Context
	limits  Limits
	lookup  Lookup
	// lookupFailed is the last error of lookup, which is only text to templates.
	lookupFailed error
	// running is the template that it told of last.
	running string
}

// start starts the process. It is killed, by its id, when ctx ends.
func (c Confinement) start(ctx context.Context) (*renderer, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		_, _ = theirIn.Close(), in.Close()
		return nil, err
	}
	r := &renderer{in: in, out: out, errors: &keeper{left: 16 << 10}, done: make(chan error, 1), speaker: speaker{w: in}}
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	// The trace of a full stack is long, and tells nothing of templates.
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = theirIn, theirOut, r.errors, time.Second
	apart(cmd)
	started := make(chan error)
	go func() {
		// The process may be bound to the thread that starts it, see apart: the
		// thread has to stay for as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_, _ = theirIn.Close(), theirOut.Close()
		started <- err
		if err == nil {
			r.done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		_, _ = in.Close(), out.Close()
		return nil, err
	}
	return r, nil
}

// end closes both ways, which ends the process if nothing else did, and waits
// for its end.
func (r *renderer) end() error {
	_, _ = r.in.Close(), r.out.Close()
	return <-r.done
}

// converse sends the request and answers what comes until there is a result.
func (r *renderer) converse(request renderRequest) (map[string]string, error) {
	if err := r.say(sayRender, request); err != nil {
		return nil, err
	}
	// What the process itself lets pass, and the names of templates.
	most := r.limits.Of(LimitOutputSize) + r.limits.Of(LimitChartSize)
	for {
		kind, data, err := hear(r.out, most)
		if err != nil {
			return nil, err
		}
		switch kind {
		case sayBegin:
			err = decodeWire(data, &r.running)
		case sayLookup:
			err = r.find(data)
		case sayDone:
			files := map[string]string{}
			return files, decodeWire(data, &files)
		case sayFailed:
			var text string
			if err = decodeWire(data, &text); err == nil {
				err = &engineError{text: text, lookup: r.lookupFailed}
			}
		case sayLimit:
			return nil, r.located(hearProblem(data))
		default:
			err = errWire
		}
		if err != nil {
			return nil, err
		}
	}
}

// engineError is what the engine says of a chart.
type engineError struct {
	text string
	// lookup is the error of the last lookup, if that failed.
	lookup error
}

// Error has the engine's words.
func (e *engineError) Error() string { return e.text }

func (r *renderer) find(data []byte) error {
	var wanted lookupRequest
	if err := decodeWire(data, &wanted); err != nil {
		return err
	}
	if r.lookup == nil {
		return errWire
	}
	found, err := r.lookup.Lookup(r.limited, wanted.APIVersion, wanted.Kind, wanted.Namespace, wanted.Name)
	r.lookupFailed = err
	answer := lookupAnswer{Found: found}
	if err != nil {
		answer.Err = err.Error()
	}
	return r.say(sayFound, answer)
}

// located adds which template was running.
func (r *renderer) located(err error) error {
	var p diag.Problem
	if errors.As(err, &p) && p.File == "" {
		p.File = r.running
		return p
	}
	return err
}

func (r *renderer) tooLong(timeout time.Duration) error {
	p := diag.Problem{
		Summary: fmt.Sprintf("rendering took longer than %s", timeout), File: r.running,
		Detail: "this template was running when the time was up; --render-timeout sets the limit",
	}
	if r.running == "" {
		p.Detail = "no template had begun to run; --render-timeout sets the limit"
	}
	return p
}

// died is for a process that ended without a result.
func (r *renderer) died(ended error) error {
	said := r.errors.String()
	switch {
	case strings.Contains(said, "stack overflow") || strings.Contains(said, "stack exceeds"):
		return diag.Problem{Summary: endlessCalls, Detail: deeper, File: r.running}
	case noMemory().MatchString(said):
		return r.located(r.limits.tooMuchMemory())
	}
	return diag.Problem{
		Summary: fmt.Sprintf("the process that rendered the chart ended: %v", ended), File: r.running,
		Detail: strings.TrimSpace(said),
	}
}

// noMemory is what the Go runtime says when the system refuses it memory, and
// what the race detector says then.
var noMemory = pattern.Lazy(`out of memory|cannot allocate memory|failed to allocate`)

// keeper keeps the beginning of what is written.
type keeper struct {
	bytes.Buffer
	left int
}

// Write takes all and keeps what there is room for.
func (k *keeper) Write(p []byte) (int, error) {
	keep := min(len(p), k.left)
	k.left -= keep
	_, _ = k.Buffer.Write(p[:keep])
	return len(p), nil
}
