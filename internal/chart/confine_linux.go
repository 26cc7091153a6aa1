package chart

import (
	"os"
	"os/exec"
	"syscall"
)

// apart takes the process out of reach of the terminal's Ctrl-C, which is the
// parent's to answer, and has the system kill it when the parent dies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// sacrifice has the system choose this process first when memory runs out.
func sacrifice() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0o644)
}
