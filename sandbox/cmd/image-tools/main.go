// Command image-tools is the small static program inside the sandbox's images.
// The name it is started by says what it does:
//
//	pause              holds a pod's namespaces until it is told to end
//	gosu USER CMD...   runs CMD in its place as USER
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

func main() {
	var err error
	switch filepath.Base(os.Args[0]) {
	case "pause":
		pause()
	case "gosu":
		err = gosu(os.Args[1:])
	default:
		err = fmt.Errorf("started as %q; known: pause, gosu", os.Args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image-tools:", err)
		os.Exit(1)
	}
}

// pause waits for the end and, as the first process of a shared process
// namespace, reaps what others leave behind.
func pause() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err != nil || pid <= 0 {
				break
			}
		}
	}
}

func gosu(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: gosu USER COMMAND [ARGUMENT...]")
	}
	account, err := user.Lookup(args[0])
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return fmt.Errorf("user id of %s: %w", args[0], err)
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return fmt.Errorf("group id of %s: %w", args[0], err)
	}
	program, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("setting groups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("setting the group: %w", err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("setting the user: %w", err)
	}
	environment := append(os.Environ(), "HOME="+account.HomeDir)
	return syscall.Exec(program, args[1:], environment)
}
