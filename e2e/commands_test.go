package e2e

import (
	encodingjson "encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/jsonpath"
)

// exits runs a program and checks its exit code:
//
//	exits CODE PROGRAM [ARGUMENT...]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("running %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s ended with exit code %d, not %d", args[1], got, want)
	}
}

// eventually runs a program again and again until it succeeds and, where an
// expression is given, its standard output matches:
//
//	eventually [-stdout EXPRESSION] PROGRAM [ARGUMENT...]
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	var want *regexp.Regexp
	if len(args) > 2 && args[0] == "-stdout" {
		var err error
		want, err = regexp.Compile("(?m)" + args[1])
		ts.Check(err)
		args = args[2:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually [-stdout EXPRESSION] PROGRAM [ARGUMENT...]")
	}
	s := storyOf(ts)
	deadline := time.Now().Add(patience)
	for {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil && (want == nil || want.MatchString(ts.ReadFile("stdout"))) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not in %s: %s (last: %v)", patience, strings.Join(args, " "), err)
		}
		select {
		case <-s.ctx.Done():
			ts.Fatalf("interrupted")
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// expand puts the values of environment variables into files, for ${NAME}:
//
//	expand FILE...
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	reference := regexp.MustCompile(`\$\{([A-Z_]+)\}`)
	for _, name := range args {
		text := reference.ReplaceAllStringFunc(ts.ReadFile(name), func(found string) string {
			return ts.Getenv(strings.Trim(found, "${}"))
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// json checks an expression, as kubectl's jsonpath has it, on the last standard output:
//
//	json EXPRESSION WANTED
func json(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json EXPRESSION WANTED")
	}
	var data any
	ts.Check(encodingjson.Unmarshal([]byte(ts.ReadFile("stdout")), &data))
	expression := jsonpath.New("expression")
	ts.Check(expression.Parse(args[0]))
	var got strings.Builder
	ts.Check(expression.Execute(&got, data))
	if got.String() != args[1] {
		ts.Fatalf("%s is %q, not %q", args[0], got.String(), args[1])
	}
}

// login writes a kubeconfig for a service account of the namespace:
//
//	login SERVICE-ACCOUNT FILE
func login(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: login SERVICE-ACCOUNT FILE")
	}
	ts.Check(ts.Exec("kubectl", "create", "token", args[0]))
	config := storyOf(ts).preset()
	current := config.Contexts[config.CurrentContext]
	current.AuthInfo = args[0]
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{args[0]: {Token: strings.TrimSpace(ts.ReadFile("stdout"))}}
	ts.Check(clientcmd.WriteToFile(*config, ts.MkAbs(args[1])))
}
