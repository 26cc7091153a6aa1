//go:build unix && !linux

package chart

import (
	"os/exec"
	"syscall"
)

// apart takes the process out of reach of the terminal's Ctrl-C, which is the
// parent's to answer. When the parent dies its input ends, and with that it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// fence does nothing: the gauge has to do.
func fence(int64) {}
