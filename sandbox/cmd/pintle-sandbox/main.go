// Command pintle-sandbox brings a real Kubernetes up and down on this machine.
package main

import (
	"os"

	"github.com/pintle-dev/pintle/sandbox/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
