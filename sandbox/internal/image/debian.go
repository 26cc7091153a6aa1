package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// unwanted are packages that dependencies name but images do without: what runs
// only while a package is installed, interpreters for such scripts, and a
// compiler backend of 100 MB that PostgreSQL uses only if it is there.
var unwanted = []string{
	"adduser", "base-files", "debconf", "debianutils", "dpkg", "gcc-12-base", "gcc-14-base",
	"init-system-helpers", "iproute2", "libc-l10n", "libllvm14", "libz3-4", "libpam-modules",
	"libpam-modules-bin", "locales", "lsb-base", "mawk", "netbase", "openssl", "passwd", "perl",
	"perl-base", "perl-modules-5.36", "libperl5.36", "postgresql-client-common", "postgresql-common",
	"sensible-utils", "ssl-cert", "sysvinit-utils", "tar", "ucf", "usrmerge", "libfile-find-rule-perl",
	"libjson-perl", "libnumber-compare-perl", "libtext-glob-perl", "libgdbm6", "libgdbm-compat4",
}

// debian resolves and downloads packages with the machine's own apt, without
// installing anything on it. Its folder holds what was downloaded.
type debian struct {
	dir string
	// updated says that the package lists were refreshed already.
	updated bool
}

// download fetches packages and all that they depend on, without unwanted ones,
// and returns the archives' paths in an order of their own that is always the
// same. have are archives' package names that are not wanted again.
func (d *debian) download(ctx context.Context, packages, have []string) (map[string]string, error) {
	names, err := d.resolve(ctx, packages)
	if err != nil {
		return nil, err
	}
	archives := map[string]string{}
	var fetch []string
	for _, name := range names {
		if slices.Contains(unwanted, name) || slices.Contains(have, name) {
			continue
		}
		if path := d.find(name); path != "" {
			archives[name] = path
		} else {
			fetch = append(fetch, name)
		}
	}
	if len(fetch) > 0 {
		if _, err := d.apt(ctx, d.dir, "apt-get", append([]string{"download", "-q"}, fetch...)...); err != nil {
			return nil, err
		}
	}
	for _, name := range fetch {
		archives[name] = d.find(name)
		if archives[name] == "" {
			return nil, fmt.Errorf("apt-get download %s brought no archive", name)
		}
	}
	return archives, nil
}

// find returns the downloaded archive of a package, or "".
func (d *debian) find(name string) string {
	found, err := filepath.Glob(filepath.Join(d.dir, name+"_*.deb"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0]
}

// resolve names packages and all that they depend on, as if nothing were
// installed: what this machine happens to have must not be missing in an image.
func (d *debian) resolve(ctx context.Context, packages []string) ([]string, error) {
	status := filepath.Join(d.dir, "nothing-installed")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, fmt.Errorf("preparing apt: %w", err)
	}
	args := []string{"install", "--simulate", "--no-install-recommends", "-o", "Dir::State::status=" + status}
	out, err := d.apt(ctx, d.dir, "apt-get", append(args, packages...)...)
	if err != nil {
		return nil, err
	}
	names := parseSimulation(out)
	if len(names) == 0 {
		return nil, fmt.Errorf("apt-get names no packages to install for %s", strings.Join(packages, " "))
	}
	return names, nil
}

// parseSimulation reads the names of packages from the lines of a simulated
// installation: `Inst NAME (VERSION ...)`.
func parseSimulation(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Inst" {
			name, _, _ := strings.Cut(fields[1], ":")
			names = append(names, name)
		}
	}
	return names
}

// apt runs one of apt's programs. When it fails, the package lists may be old or
// missing: they are refreshed, once, and the program is run again.
func (d *debian) apt(ctx context.Context, dir, name string, args ...string) (string, error) {
	out, err := capture(ctx, dir, name, args...)
	if err == nil || d.updated {
		return out, err
	}
	if _, failed := capture(ctx, dir, "apt-get", "update", "-q"); failed != nil {
		return "", errors.Join(err, failed)
	}
	d.updated = true
	return capture(ctx, dir, name, args...)
}

func capture(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
