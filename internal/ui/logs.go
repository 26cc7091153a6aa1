package ui

import (
	"fmt"

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
	return []line{{raw: logText(e.Hook, e.Container, e.Shown())}}
}

// logText is a log line behind the names of its hook and container.
func logText(hook, container, text string) string {
	return fmt.Sprintf("[%s/%s] %s", hook, container, clean(text))
}

func keptLog(e event.RunFinished) []line {
	var lines []line
	for _, p := range e.Run.Pods {
		for _, c := range p.Containers {
			head, tail := c.Log.Kept()
			for _, l := range head {
				lines = append(lines, line{raw: logText(e.Run.Hook, c.Name, l.Text)})
			}
			if dropped := c.Log.Dropped(); dropped > 0 {
				lines = append(lines, line{raw: logText(e.Run.Hook, c.Name, fmt.Sprintf("... %d lines not kept ...", dropped))})
			}
			for _, l := range tail {
				lines = append(lines, line{raw: logText(e.Run.Hook, c.Name, l.Text)})
			}
		}
	}
	return lines
}
