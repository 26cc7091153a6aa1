package chart

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// apart takes the process out of reach of the terminal's Ctrl-C, which is the
// parent's to answer, and has the system kill it when the parent dies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// spare is what the runtime may map beside what the gauge counts.
const spare = 128 << 20

// fence has the system refuse this process more memory than that, which ends
// it: one expression of a template can take gigabytes between two looks at the
// gauge. It also has the system choose this process first when memory runs out.
func fence(memory int64) {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0o644)
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return
	}
	const mapped = 5 // data and stack, in pages
	fields := bytes.Fields(data)
	if len(fields) <= mapped {
		return
	}
	pages, err := strconv.ParseInt(string(fields[mapped]), 10, 64)
	if err != nil {
		return
	}
	most := uint64(pages*int64(os.Getpagesize()) + memory + spare)
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}
