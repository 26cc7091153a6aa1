package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// touched are the kernel settings that the sandbox or one of its components
// changes: kubelet wants the first group so, pods need forwarding, kube-proxy
// sets the last.
var touched = []string{
	"kernel/keys/root_maxbytes",
	"kernel/keys/root_maxkeys",
	"kernel/panic",
	"kernel/panic_on_oops",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
	"net/ipv4/ip_forward",
	"net/ipv4/conf/all/route_localnet",
}

// ReadSettings returns the present values of the kernel settings that a running
// sandbox changes, by their path below /proc/sys.
func ReadSettings() (map[string]string, error) {
	values := map[string]string{}
	for _, name := range touched {
		raw, err := os.ReadFile(settingPath(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading a kernel setting: %w", err)
		}
		values[name] = strings.TrimSpace(string(raw))
	}
	return values, nil
}

// RestoreSettings sets what differs back to values, as ReadSettings gave them.
// Names that ReadSettings never returns are ignored.
func RestoreSettings(values map[string]string) error {
	now, err := ReadSettings()
	if err != nil {
		return err
	}
	var problems []error
	for name, value := range values {
		if slices.Contains(touched, name) && now[name] != value {
			problems = append(problems, set(name, value))
		}
	}
	return errors.Join(problems...)
}

// EnableForwarding lets the machine pass packets on between pods.
func EnableForwarding() error { return set("net/ipv4/ip_forward", "1") }

func set(name, value string) error {
	if err := os.WriteFile(settingPath(name), []byte(value), 0o644); err != nil {
		return fmt.Errorf("changing a kernel setting: %w", err)
	}
	return nil
}

func settingPath(name string) string { return filepath.Join("/proc/sys", name) }
