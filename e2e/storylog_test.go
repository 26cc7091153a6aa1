package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyT runs a story as testscript would, but shows of one that failed what its
// last command printed, even where the line that failed stands under a later
// heading: a match that is missing explains nothing without it.
type storyT struct{ *testing.T }

func (s storyT) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(storyT{t}) })
}

// runStories runs stories as testscript.Run does, in storyT's way.
func runStories(t *testing.T, p testscript.Params) {
	t.Helper()
	if deadline, ok := t.Deadline(); ok {
		p.Deadline = deadline
	}
	testscript.RunT(storyT{t}, p)
}

// Verbose has testscript keep what it would throw away after each heading.
func (s storyT) Verbose() bool { return true }

func (s storyT) Log(args ...any) {
	s.Helper()
	text := fmt.Sprint(args...)
	if !testing.Verbose() {
		text = lastWords(text)
	}
	s.T.Log(text)
}

// command is a line of the log that runs a program.
var command = regexp.MustCompile(`^> (! )?(exec|exits) `)

// lastWords are the headings of a story's log, and all of it from the last
// program that printed something.
func lastWords(log string) string {
	lines := strings.Split(log, "\n")
	from := len(lines)
	for printed := false; from > 0 && (!printed || !command.MatchString(lines[from])); {
		from--
		printed = printed || lines[from] == "[stdout]" || lines[from] == "[stderr]"
	}
	var out []string
	for _, line := range lines[:from] {
		if strings.HasPrefix(line, "# ") {
			out = append(out, line)
		}
	}
	return strings.Join(append(out, lines[from:]...), "\n")
}

func TestLastWords(t *testing.T) {
	const log = "# One. (1.0s)\n> exec pintle install\n[stdout]\nlong ago\n# Two. (2.0s)\n> ! exec pintle test\n[stderr]\nerror: no\n" +
		"# Three. (0.0s)\n> exec true\n> stderr yes\nFAIL: no match\n"
	const want = "# One. (1.0s)\n# Two. (2.0s)\n> ! exec pintle test\n[stderr]\nerror: no\n# Three. (0.0s)\n> exec true\n> stderr yes\nFAIL: no match\n"
	if got := lastWords(log); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := lastWords("# One.\n> exec true\nFAIL: x\n"); got != "# One.\n> exec true\nFAIL: x\n" {
		t.Errorf("of one that printed nothing:\n%s", got)
	}
}
