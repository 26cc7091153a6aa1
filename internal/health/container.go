package health

import (
	"fmt"
	"strings"

	"github.com/pintle-dev/pintle/internal/pattern"
)

// configError explains why a container's configuration could not be put
// together. What is missing may yet be brought by an operator, so it is
// waited for; what the image itself contradicts never heals.
func configError(c container, _ node, message string) finding {
	f := finding{reason: "CreateContainerConfigError", message: sentence(message)}
	if m, ok := missingObject(message); ok {
		f.message, f.advice = m.message(), m.advice()
		return f
	}
	if strings.Contains(message, "runAsNonRoot") {
		f.patience = Never
		f.message = "the pod demands runAsNonRoot, but the image " + fmt.Sprintf("%q", c.image()) + " runs as root or does not name a numeric user"
		f.advice = "set securityContext.runAsUser to a number above 0, or use an image with a numeric USER"
		return f
	}
	f.advice = "check the container's env, envFrom and volumeMounts"
	return f
}

// missing is a Secret or ConfigMap, or one key of it, that a pod refers to.
type missing struct{ kind, name, key string }

var (
	missingRef = pattern.Lazy(`(?i)\b(secret|configmap)s? "([^"]+)" not found`)
	missingKey = pattern.Lazy(`(?i)couldn't find key (\S+) in (Secret|ConfigMap) (?:[^/\s]+/)?([^\s,]+)`)
	missingVol = pattern.Lazy(`(?i)references non-existent (secret|config) key: (\S+)`)
)

// missingObject finds the name of what is missing in a kubelet's message.
func missingObject(message string) (missing, bool) {
	if m := missingRef().FindStringSubmatch(message); m != nil {
		return missing{kind: kindWord(m[1]), name: m[2]}, true
	}
	if m := missingKey().FindStringSubmatch(message); m != nil {
		return missing{kind: kindWord(m[2]), name: m[3], key: m[1]}, true
	}
	if m := missingVol().FindStringSubmatch(message); m != nil {
		return missing{kind: kindWord(m[1]), key: m[2]}, true
	}
	return missing{}, false
}

func kindWord(word string) string {
	if strings.EqualFold(word, "secret") {
		return "Secret"
	}
	return "ConfigMap"
}

func (m missing) message() string {
	switch {
	case m.name == "":
		return fmt.Sprintf("a %s that it mounts has no key %q", m.kind, m.key)
	case m.key != "":
		return fmt.Sprintf("the %s %q has no key %q", m.kind, m.name, m.key)
	default:
		return fmt.Sprintf("the %s %q does not exist", m.kind, m.name)
	}
}

func (m missing) advice() string {
	if m.key != "" {
		return "add the key, or correct the reference in the chart's values"
	}
	return fmt.Sprintf("create the %s, or correct the name in the chart's values; the container starts by itself once it is there", m.kind)
}

func createError(_ container, _ node, message string) finding {
	f := finding{reason: "CreateContainerError", patience: Limited, message: "the container could not be created: " + sentence(message)}
	if strings.Contains(message, "no command specified") {
		f.patience = Never
		f.message = "neither the image nor the pod names a command to run"
		f.advice = "set the container's command"
	}
	return f
}

// runError and a crash loop after a start that failed carry the runtime's own
// words, which runtimeFailure turns round.
func runError(c container, _ node, message string) finding {
	if message == "" {
		message = c.lastEnd().text("message")
	}
	f := runtimeFailure(message)
	f.reason = "RunContainerError"
	return f
}

// runtimeFailure explains why the container runtime could not start a process.
func runtimeFailure(message string) finding {
	f := finding{patience: Limited, message: "the container could not be started: " + runtimeDetail(message)}
	command := ""
	if m := execName().FindStringSubmatch(message); m != nil {
		command = m[1]
	}
	switch {
	case strings.Contains(message, "executable file not found"), strings.Contains(message, "no such file or directory") && command != "":
		f.message = fmt.Sprintf("the command %q does not exist in the image", command)
		f.advice = "check the container's command and the image"
	case strings.Contains(message, "permission denied") && command != "":
		f.message = fmt.Sprintf("the command %q may not be executed", command)
		f.advice = "make the file executable in the image, or check the user that the container runs as"
	case strings.Contains(message, "exec format error"):
		f.message = "the command is built for another architecture than the node's, or is a script without #!"
		f.advice = "build the image for the architecture of the nodes"
	case strings.Contains(message, "not a directory") && strings.Contains(message, "mount"):
		f.advice = "a file is mounted over a folder or the other way round; check mountPath and subPath"
	}
	return f
}

var execName = pattern.Lazy(`exec: \\?"([^"\\]+)\\?"`)

// runtimeDetail drops the layers that each part of the runtime adds in front.
func runtimeDetail(message string) string {
	message = strings.TrimSuffix(strings.TrimSpace(message), ": unknown")
	if i := strings.LastIndex(message, "unable to start container process: "); i >= 0 {
		return message[i+len("unable to start container process: "):]
	}
	return message
}

// crashLoop explains why a container ends again and again: by how it ended last.
func crashLoop(c container, pod node, _ string) finding {
	f := c.ended(pod, c.lastEnd())
	f.reason = "CrashLoopBackOff"
	f.message += fmt.Sprintf("; it was restarted %s and is now held back", times(c.restarts()))
	return f
}

// ended explains how a container's process ended.
func (c container) ended(pod, end node) finding {
	if end == nil {
		return finding{reason: "Error", message: "ended, and how is not known", patience: c.patience(pod), predicate: true}
	}
	code := end.number("exitCode", 0)
	f := finding{reason: end.text("reason"), exitCode: &code, patience: c.patience(pod), log: true, predicate: true}
	switch f.reason {
	case "OOMKilled":
		f.message, f.advice = c.outOfMemory(code)
	case "StartError", "ContainerCannotRun":
		start := runtimeFailure(end.text("message"))
		f.message, f.advice, f.log, f.predicate = start.message, start.advice, false, false
	case "ContainerStatusUnknown":
		f.exitCode, f.log, f.advice = nil, end.text("startedAt") != "", ""
		f.message = "never started"
		if f.log {
			f.message = "ended, and how is not known: its node lost sight of it"
		}
		return f
	default:
		f.message, f.advice = exitText(code, end.number("signal", 0))
		if _, gone := deletion(pod); gone && (code == 137 || code == 143) {
			f.message, f.advice = stopped(code), ""
		}
	}
	if f.reason == "" {
		f.reason = "Error"
	}
	if note := strings.TrimSpace(end.text("message")); note != "" && f.log {
		f.message += "; it left the message: " + note
	}
	return f
}

// patience with an ended container: it is final only where nobody restarts it
// and no controller makes a new pod.
func (c container) patience(pod node) Patience {
	alone := len(pod.at("metadata").list("ownerReferences")) == 0
	if alone && pod.at("spec").text("restartPolicy") == "Never" {
		return Never
	}
	return Limited
}

func (c container) outOfMemory(code int) (message, advice string) {
	limit := c.spec.at("resources", "limits").text("memory")
	if limit == "" {
		return fmt.Sprintf("was killed because the node ran out of memory (OOMKilled, exit code %d)", code),
			"give the container a memory request and limit that fit what it uses"
	}
	return fmt.Sprintf("was killed for using more memory than its limit of %s (OOMKilled, exit code %d)", limit, code),
		"raise resources.limits.memory, or make it use less"
}
