package cli

import (
	"slices"
	"strings"
	"testing"
)

func bareApp() *app {
	return newApp(Streams{}, func(string) (string, bool) { return "", false })
}

// TestTreeKnowsAllNames: a name that the table lacks would be a command that
// cannot be called.
func TestTreeKnowsAllNames(t *testing.T) {
	a := bareApp()
	for _, e := range tree {
		c := e.build(a)
		if want := append([]string{c.Name()}, c.Aliases...); !slices.Equal(e.names, want) {
			t.Errorf("the table calls a command %q that is called %q", e.names, want)
		}
	}
	if built, all := len(newRoot(a).Commands()), len(tree); built != all {
		t.Errorf("%d commands of %d are built", built, all)
	}
}

// TestArgumentsBuildWhatTheyName: no argument leads to another command in the
// tree that is built for it than in the whole one.
func TestArgumentsBuildWhatTheyName(t *testing.T) {
	lines := []string{
		"", "--help", "-h list", "--help list", "help list", "completion bash", "__complete template ", "-n list", "-n list template r ./list",
		"--namespace=list get values r", "--namespace list hooks list r", "listt", "listt list", "--nonsense list", "--nonsense", "-- list", "-n", "--debug test r",
	}
	for _, e := range tree {
		for _, name := range e.names {
			lines = append(lines, name, name+" --help", "--debug "+name+" x")
		}
	}
	for _, line := range lines {
		args := strings.Split(line, " ")
		whole, _, wholeErr := newRoot(bareApp()).Find(args)
		part, _, partErr := newRootFor(bareApp(), args).Find(args)
		if (wholeErr == nil) != (partErr == nil) || whole.CommandPath() != part.CommandPath() || whole.UsageString() != part.UsageString() {
			t.Errorf("%q leads to %s, %v; in the whole tree to %s, %v", line, part.CommandPath(), partErr, whole.CommandPath(), wholeErr)
		}
	}
}

// TestOneCommandIsBuilt where one is called: the others are much of what a
// short command would do.
func TestOneCommandIsBuilt(t *testing.T) {
	if built := newRootFor(bareApp(), []string{"-n", "x", "version"}).Commands(); len(built) != 1 {
		t.Errorf("%d commands are built", len(built))
	}
}
