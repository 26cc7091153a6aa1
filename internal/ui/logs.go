package ui

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/event"
)

// LogMode says which log lines of hooks and tests are shown.
type LogMode string

// The modes of --logs.
const (
	// LogsAuto shows the last lines of what failed.
	LogsAuto LogMode = "auto"
	// LogsAlways shows every line as it comes.
	LogsAlways LogMode = "always"
	// LogsFailed shows all kept lines of what failed, when it has.
	LogsFailed LogMode = "failed"
	// LogsNever shows none.
	LogsNever LogMode = "never"
)

func (n *narrator) log(e event.LogLine) []line {
	if n.opts.Logs != LogsAlways {
		return nil
	}
	return []line{{raw: logText(n.pods.name(e), e.Container, e.Shown())}}
}

// podNames tell the pods of one hook apart, by the step: the first goes by the
// hook's name, others, that a Job runs beside or after it, by their own.
type podNames map[string]string

func (p podNames) name(e event.LogLine) string {
	if p.isFirst(e.StepID, e.Pod) {
		return e.Hook
	}
	return e.Pod
}

// short is for where the hook's name is known: of a pod, what its own name adds.
func (p podNames) short(e event.LogLine) string {
	if p.isFirst(e.StepID, e.Pod) {
		return e.Container
	}
	return strings.TrimPrefix(e.Pod, e.Hook+"-") + "/" + e.Container
}

func (p podNames) isFirst(step, pod string) bool {
	if _, known := p[step]; !known {
		p[step] = pod
	}
	return p[step] == pod
}

// forget ends an attempt: the next one has another first pod.
func (p podNames) forget(step string) { delete(p, step) }

// logText is a log line behind the names of its hook, or pod, and container.
func logText(hook, container, text string) string {
	return fmt.Sprintf("[%s/%s] %s", hook, container, clean(text))
}

func keptLog(e event.RunFinished) []line {
	var lines []line
	for i, p := range e.Run.Pods {
		name := e.Run.Hook
		if i > 0 {
			name = p.Name
		}
		for _, c := range p.Containers {
			head, tail := c.Log.Kept()
			for _, l := range head {
				lines = append(lines, line{raw: logText(name, c.Name, l.Text)})
			}
			if dropped := c.Log.Dropped(); dropped > 0 {
				lines = append(lines, line{raw: logText(name, c.Name, fmt.Sprintf("... %d lines not kept ...", dropped))})
			}
			for _, l := range tail {
				lines = append(lines, line{raw: logText(name, c.Name, l.Text)})
			}
		}
	}
	return lines
}
