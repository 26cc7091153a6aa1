package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// UnmountBelow unmounts everything that is mounted on dir or below it, the
// latest mount first.
func UnmountBelow(dir string) error {
	// A lazy unmount takes what is mounted below along, and a mount may hide
	// another: look again until nothing is left, but not for ever.
	for range 100 {
		points, err := mountsBelow(dir)
		if err != nil {
			return err
		}
		if len(points) == 0 {
			return nil
		}
		for i := len(points) - 1; i >= 0; i-- {
			err := unix.Unmount(points[i], unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
			if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("unmounting %s: %w", points[i], err)
			}
		}
	}
	return fmt.Errorf("unmounting below %s: mounts keep coming back", dir)
}

// RemoveTree deletes dir and everything in it. It refuses while anything is
// mounted there: what is mounted may belong to somebody else.
func RemoveTree(dir string) error {
	points, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	if len(points) > 0 {
		return fmt.Errorf("not deleting %s: %s is still mounted", dir, strings.Join(points, ", "))
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("deleting %s: %w", dir, err)
	}
	return nil
}

func mountsBelow(dir string) ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("listing mounts: %w", err)
	}
	defer file.Close()
	points, err := parseMounts(file)
	if err != nil {
		return nil, fmt.Errorf("listing mounts: %w", err)
	}
	var below []string
	for _, point := range points {
		if point == dir || strings.HasPrefix(point, strings.TrimSuffix(dir, "/")+"/") {
			below = append(below, point)
		}
	}
	return below, nil
}

// parseMounts returns the mount points of a mountinfo file in its order.
func parseMounts(r io.Reader) ([]string, error) {
	var points []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			return nil, fmt.Errorf("unexpected line %q", lines.Text())
		}
		points = append(points, unescapeMount(fields[4]))
	}
	return points, lines.Err()
}

// unescapeMount undoes the kernel's octal escapes for blanks and backslashes.
func unescapeMount(point string) string {
	var out strings.Builder
	for i := 0; i < len(point); i++ {
		if point[i] == '\\' && i+3 < len(point) {
			if code, err := strconv.ParseUint(point[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		out.WriteByte(point[i])
	}
	return out.String()
}

// OverlayWorks says whether overlay mounts can be made in dir. They cannot where
// dir itself lies on one, as it does inside many containers.
func OverlayWorks(dir string) bool {
	base, err := os.MkdirTemp(dir, "overlay-probe-")
	if err != nil {
		return false
	}
	defer os.RemoveAll(base)
	for _, sub := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(base, sub), 0o700); err != nil {
			return false
		}
	}
	merged := filepath.Join(base, "merged")
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", base)
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return false
	}
	return unix.Unmount(merged, 0) == nil
}
