package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if len(dir) > 60 {
		dir = "/tmp/pintle-sandbox-none"
	}
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"help":              {args: []string{"--help"}, code: 0},
		"unknown command":   {args: []string{"upp"}, code: 2, says: `unknown command "upp"`},
		"unknown flag":      {args: []string{"up", "--fast"}, code: 2, says: "--fast"},
		"too many":          {args: []string{"down", "x"}, code: 2, says: "x"},
		"missing argument":  {args: []string{"load"}, code: 2, says: "arg"},
		"bad network":       {args: []string{"check", "--network", "10.0.0.0/8"}, code: 2, says: "/16"},
		"folder of system":  {args: []string{"status", "--dir", "/var"}, code: 2, says: "folder of the system"},
		"no sandbox":        {args: []string{"status", "--dir", dir}, code: 1, says: "no sandbox is up"},
		"no kubeconfig":     {args: []string{"kubeconfig", "--dir", dir}, code: 1, says: "no sandbox is up"},
		"stop without one":  {args: []string{"stop", "etcd", "--dir", dir}, code: 1, says: "no sandbox is up"},
		"logs without one":  {args: []string{"logs", "etcd", "--dir", dir}, code: 1, says: "no sandbox is up"},
		"load without one":  {args: []string{"load", "x.tar", "--dir", dir}, code: 1, says: "no sandbox is up"},
		"start without one": {args: []string{"start", "etcd", "--dir", dir}, code: 1, says: "no sandbox is up"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Main(tt.args, &stdout, &stderr)
			if code != tt.code || !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("exit code %d and %q, want %d and %q", code, stderr.String(), tt.code, tt.says)
			}
		})
	}
}

func TestPrintTail(t *testing.T) {
	var out bytes.Buffer
	if err := printTail(&out, strings.NewReader("1\n2\n3\n4"), 2); err != nil {
		t.Fatal(err)
	}
	if out.String() != "3\n4" {
		t.Errorf("tail is %q", out.String())
	}
}
