package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

// Annotations is how the results of tests are brought before the eyes of those
// who look at a CI job.
type Annotations string

// The forms of annotations.
const (
	// AnnotateGitHub writes workflow commands: an error for each failed test
	// and a warning for each flaky one.
	AnnotateGitHub Annotations = "github"
	// AnnotateGitLab writes sections that the job's log shows folded, one for
	// each failed or flaky test: GitLab knows no other annotation of a job.
	AnnotateGitLab Annotations = "gitlab"
	// AnnotateNone writes nothing.
	AnnotateNone Annotations = "none"
)

// annotationLines is how many of a container's last lines an annotation of
// GitHub carries: it is a note beside the log, not the log.
const annotationLines = 10

// WriteAnnotations writes what failed and what was flaky, nothing else. now is
// the time of the sections of GitLab.
func WriteAnnotations(w io.Writer, run TestRun, form Annotations, now time.Time) {
	var b strings.Builder
	for _, t := range run.result().Tests {
		if t.Phase != release.PhaseFailed && !t.Flaky {
			continue
		}
		switch form {
		case AnnotateGitHub:
			b.WriteString(githubAnnotation(t))
		case AnnotateGitLab:
			b.WriteString(gitlabSection(t, now))
		}
	}
	flush(w, b.String())
}

// headline is what there is to say of a test in one line.
func (t testReport) headline() string {
	if t.Flaky {
		first := t.Attempts[0]
		return fmt.Sprintf("Test %s is flaky: it passed on attempt %d; before: %s", t.Name, len(t.Attempts), clean(reasonText(first.Reason, first.Message)))
	}
	text := fmt.Sprintf("Test %s failed", t.Name)
	if reason := clean(reasonText(t.Reason, t.Message)); reason != "" {
		text += ": " + reason
	}
	return text
}

// evidence is the attempt to look at: the last one, or the failure before it.
func (t testReport) evidence() testAttempt {
	if t.Flaky {
		return t.Attempts[len(t.Attempts)-2]
	}
	return t.Attempts[len(t.Attempts)-1]
}

func githubAnnotation(t testReport) string {
	level := "error"
	if t.Flaky {
		level = "warning"
	}
	title, message, _ := strings.Cut(t.headline(), ": ")
	lines := strings.Split(strings.TrimSuffix(t.evidence().log(), "\n"), "\n")
	lines = lines[max(0, len(lines)-annotationLines):]
	text := strings.TrimSuffix(message+"\n"+strings.Join(lines, "\n"), "\n")
	return fmt.Sprintf("::%s title=%s::%s\n", level, githubProperty.Replace(title), githubData.Replace(text))
}

// The escapes of GitHub's workflow commands.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func gitlabSection(t testReport, now time.Time) string {
	name := "pintle_test_" + strings.NewReplacer("/", "_", " ", "_").Replace(t.Name)
	s := style{on: true}
	look := bad
	if t.Flaky {
		look = warn
	}
	return fmt.Sprintf("\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n%s\x1b[0Ksection_end:%d:%s\r\x1b[0K\n",
		now.Unix(), name, s.with(look, t.headline()), t.evidence().log(), now.Unix(), name)
}
