package lock

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Life is what can be told of a holder's process from here.
type Life int

// The answers about a process.
const (
	// Unknown: it is on another machine, or in another PID namespace, or the
	// system does not tell.
	Unknown Life = iota
	// Alive: the very process exists on this machine.
	Alive
	// Dead: it ended, or its number belongs to another process by now.
	Dead
)

// lifeOf looks for a holder's process on this machine. A number means nothing
// after a reboot, nor in another PID namespace (two containers of one node),
// so only a process of our own boot and namespace can be called dead.
func lifeOf(h Holder) Life {
	here, _ := os.Hostname() // an unknown name equals no holder's
	if h.Boot == "" || h.Space == "" || h.PID <= 0 || h.Started == "" || h.Host != here || h.Boot != bootID() || h.Space != pidSpace() {
		return Unknown
	}
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return Unknown
	}
	defer func() { _ = p.Release() }() // nothing was done with it
	if errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return Dead
	}
	started, state := startOf(h.PID)
	switch {
	case started == "":
		return Unknown // there, but hidden from us
	case started != h.Started, state == "Z", state == "X":
		return Dead
	}
	return Alive
}

// bootID changes with every boot; empty where the system has none.
func bootID() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // only Linux has it
	return strings.TrimSpace(string(data))
}

// pidSpace names the namespace in which process numbers count.
func pidSpace() string {
	name, _ := os.Readlink("/proc/self/ns/pid") // only Linux has it
	return name
}

// startOf reads when a process started, in clock ticks since the boot, and its
// state; both are empty when the system does not tell.
func startOf(pid int) (started, state string) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", ""
	}
	// The name, in parentheses, may hold anything; fields count from behind it.
	_, rest, _ := strings.Cut(string(data[strings.LastIndexByte(string(data), ')'):]), " ")
	fields := strings.Fields(rest)
	const stateField, startField = 0, 19 // fields 3 and 22 of proc(5)
	if len(fields) <= startField {
		return "", ""
	}
	return fields[startField], fields[stateField]
}
