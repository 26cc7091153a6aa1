package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/sandbox/internal/host"
	"github.com/pintle-dev/pintle/sandbox/internal/process"
)

// ErrNotUp is returned where a sandbox is needed and there is none.
var ErrNotUp = errors.New("no sandbox is up: `pintle-sandbox up` starts one")

// Down ends the sandbox in l and removes every trace of it from the machine. It
// returns ErrNotUp when there is none.
func Down(ctx context.Context, l Layout) error {
	unlock, err := lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkDir(l); err != nil {
		return err
	}
	owner, err := host.NetworkOwner()
	if err != nil {
		return err
	}
	marked, err := process.Marked(l.Dir)
	if err != nil {
		return err
	}
	if owner != l.Dir && len(marked) == 0 && !isSandbox(l) {
		return ErrNotUp
	}
	return sweep(ctx, l)
}

// ComponentStatus is how one component is.
type ComponentStatus struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Problem is empty for a component that works.
	Problem string `json:"problem,omitempty"`
}

// Report is how a sandbox is.
type Report struct {
	Dir        string            `json:"dir"`
	Created    time.Time         `json:"created"`
	Kubeconfig string            `json:"kubeconfig"`
	Server     string            `json:"server"`
	Version    string            `json:"version,omitempty"`
	Components []ComponentStatus `json:"components"`
	// NodeProblem is empty when the node takes pods.
	NodeProblem string `json:"nodeProblem,omitempty"`
}

// Problem returns what is wrong, or nil for a healthy sandbox.
func (r Report) Problem() error {
	var problems []error
	for _, component := range r.Components {
		if component.Problem != "" {
			problems = append(problems, fmt.Errorf("%s: %s", component.Name, component.Problem))
		}
	}
	if r.NodeProblem != "" {
		problems = append(problems, fmt.Errorf("node: %s", r.NodeProblem))
	}
	return errors.Join(problems...)
}

// Status looks at each part of the sandbox in l. It returns ErrNotUp when there is
// none.
func Status(ctx context.Context, l Layout) (Report, error) {
	remembered, found, err := loadState(l)
	if err != nil {
		return Report{}, err
	}
	if !found || len(remembered.Components) == 0 {
		return Report{}, ErrNotUp
	}
	network, err := host.ParseNetwork(remembered.Network)
	if err != nil {
		return Report{}, err
	}
	server := plan{network: network}.server()
	report := Report{Dir: l.Dir, Created: remembered.Created, Kubeconfig: l.Kubeconfig(), Server: server}
	for _, component := range remembered.Components {
		status := ComponentStatus{Name: component.Name, PID: component.PID}
		if !component.Alive() {
			status.PID, status.Problem = 0, "not running"
		} else if err := ask(ctx, healthCheck(l, server, component.Name)); err != nil {
			status.Problem = err.Error()
		}
		report.Components = append(report.Components, status)
	}
	report.Version, err = lookAtNode(ctx, l)
	if err != nil {
		report.NodeProblem = err.Error()
	}
	return report, nil
}

// lookAtNode returns the cluster's version, if it says one, and what keeps pods
// from the node.
func lookAtNode(ctx context.Context, l Layout) (string, error) {
	_, client, err := newClient(l)
	if err != nil {
		return "", err
	}
	version := ""
	if info, err := client.ServerVersion(); err == nil {
		version = info.GitVersion
	}
	return version, ask(ctx, nodeReady(client))
}

func ask(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return check(ctx)
}

// Stop ends one component, after asking it to and giving it grace.
func Stop(ctx context.Context, l Layout, name string, grace time.Duration) error {
	_, component, err := locate(l, name)
	if err != nil {
		return err
	}
	return process.Stop(ctx, component.ID, grace)
}

// Start starts a component that was stopped or has crashed, as it was started
// before, and waits until it works. One that runs is left alone.
func Start(ctx context.Context, l Layout, name string) error {
	remembered, component, err := locate(l, name)
	if err != nil {
		return err
	}
	network, err := host.ParseNetwork(remembered.Network)
	if err != nil {
		return err
	}
	if !component.Alive() {
		running, err := process.Start(component.Spec, l.Dir)
		if err != nil {
			return err
		}
		component.ID = running.ID
		if err := remembered.save(l); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	check := healthCheck(l, plan{network: network}.server(), name)
	return poll(ctx, func(ctx context.Context) error {
		if !component.Alive() {
			return final{fmt.Errorf("%s ended; its log %s ends with:\n%s", name, l.Log(name), tail(l.Log(name)))}
		}
		return check(ctx)
	})
}

func locate(l Layout, name string) (*state, *component, error) {
	remembered, found, err := loadState(l)
	if err != nil {
		return nil, nil, err
	}
	if !found {
		return nil, nil, ErrNotUp
	}
	component, ok := remembered.find(name)
	if !ok {
		return nil, nil, fmt.Errorf("no component is called %q; there are %s", name, strings.Join(remembered.names(), ", "))
	}
	return remembered, component, nil
}

func (s *state) names() []string {
	var names []string
	for _, component := range s.Components {
		names = append(names, component.Name)
	}
	return names
}

// Components lists the names of the sandbox's components.
func Components(l Layout) ([]string, error) {
	remembered, found, err := loadState(l)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotUp
	}
	return remembered.names(), nil
}
