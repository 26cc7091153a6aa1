// Command pintle-sandbox-components is a multi-call binary that holds the
// servers of a Kubernetes cluster. It is started once per component, with the
// component's name as the first argument:
//
//	pintle-sandbox-components kube-apiserver --etcd-servers=...
//
// It exists apart from pintle-sandbox, in a module of its own, so that the
// sandbox's own code can change without linking Kubernetes again. Each process
// constructs one component's command only: Kubernetes installs a signal handler
// when a command is built, and building two in one process panics.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	_ "time/tzdata" // time zones of CronJobs, on machines without tzdata

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// commands builds the command of each component that is a cobra command. etcd
// parses its arguments itself and is handled in run.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	os.Exit(run(os.Args[1:]))
}

// run starts the component that args names and returns its exit code, or 2 when
// there is no such component.
func run(args []string) int {
	if len(args) == 0 {
		return usage("no component named")
	}
	name, rest := args[0], args[1:]
	os.Args = append([]string{name}, rest...)
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return 0
	}
	build, ok := commands[name]
	if !ok {
		return usage("unknown component " + name)
	}
	return cli.Run(build())
}

func usage(problem string) int {
	names := []string{"etcd"}
	for name := range commands {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "pintle-sandbox-components: %s; known: %s\n", problem, strings.Join(names, ", "))
	return 2
}
