// Command pintle runs the life of a Helm release on Kubernetes.
package main

import (
	"context"
	"os"

	"github.com/pintle-dev/pintle/internal/cli"
	_ "github.com/pintle-dev/pintle/internal/heap"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args, cli.OSStreams(), os.LookupEnv))
}
