package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// left out of every image: what nothing at run time reads.
var leftOut = []string{
	"usr/share/bash-completion/", "usr/share/bug/", "usr/share/doc/", "usr/share/doc-base/", "usr/share/info/",
	"usr/share/lintian/", "usr/share/locale/", "usr/share/man/", "usr/share/menu/", "usr/share/perl5/",
	"usr/lib/postgresql/15/lib/bitcode/", "usr/lib/postgresql/15/lib/llvmjit", "usr/lib/systemd/", "var/run/",
	"etc/init.d/", "etc/cron", "usr/share/zoneinfo/right/", "usr/share/zoneinfo/posix/",
}

// merged are the folders that today's Debian keeps as links into /usr. Images do
// so always, whatever the packages on this machine do.
var merged = []string{"bin", "lib", "lib64", "sbin"}

// layerWriter writes one layer as a tar file and knows what is in it.
type layerWriter struct {
	tar *tar.Writer
	// have are the clean relative paths in this layer.
	have map[string]bool
	// below are those of the layers below it.
	below map[string]bool
}

func newLayerWriter(w io.Writer, below map[string]bool) *layerWriter {
	return &layerWriter{tar: tar.NewWriter(w), have: map[string]bool{}, below: below}
}

// addRoot writes the links into /usr, for the lowest layer.
func (l *layerWriter) addRoot() error {
	for _, dir := range merged {
		if err := l.dir("usr/"+dir, 0o755); err != nil {
			return err
		}
		if err := l.write(&tar.Header{Typeflag: tar.TypeSymlink, Name: dir, Linkname: "usr/" + dir, Mode: 0o777}, nil); err != nil {
			return err
		}
	}
	return nil
}

// addPackage writes the files of a Debian package.
func (l *layerWriter) addPackage(ctx context.Context, archive string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", archive)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	copied := l.copyTar(tar.NewReader(out))
	// The padding after the last entry must be read, or dpkg-deb fails on a
	// closed pipe.
	_, drained := io.Copy(io.Discard, out)
	if err := errors.Join(copied, drained, cmd.Wait()); err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	return nil
}

func (l *layerWriter) copyTar(from *tar.Reader) error {
	for {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		header.Name = intoUsr(header.Name)
		if header.Typeflag == tar.TypeLink {
			header.Linkname = intoUsr(header.Linkname)
		}
		if header.Name == "." || skipped(header.Name) {
			continue
		}
		if err := l.write(header, from); err != nil {
			return err
		}
	}
}

// intoUsr cleans a path of an archive and moves it to where merged leads.
func intoUsr(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains(merged, first) {
		return "usr/" + name
	}
	return name
}

func skipped(name string) bool {
	for _, prefix := range leftOut {
		if strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.Contains(name, "/gconv/")
}

// addFile writes one file of a recipe, over what is there.
func (l *layerWriter) addFile(file File) error {
	header := &tar.Header{
		Name: intoUsr(file.Path), Mode: file.Mode, Uid: file.UID, Gid: file.GID,
	}
	if err := l.dir(path.Dir(header.Name), 0o755); err != nil {
		return err
	}
	// A later entry of the same name replaces the earlier when a layer is unpacked.
	delete(l.have, header.Name)
	switch {
	case file.Dir:
		header.Typeflag = tar.TypeDir
		return l.write(header, nil)
	case file.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, file.Link, 0o777
		return l.write(header, nil)
	case file.Source != "":
		source, err := os.Open(file.Source)
		if err != nil {
			return fmt.Errorf("adding %s: %w", file.Path, err)
		}
		defer source.Close()
		info, err := source.Stat()
		if err != nil {
			return fmt.Errorf("adding %s: %w", file.Path, err)
		}
		header.Typeflag, header.Size = tar.TypeReg, info.Size()
		return l.write(header, source)
	default:
		header.Typeflag, header.Size = tar.TypeReg, int64(len(file.Content))
		return l.write(header, strings.NewReader(file.Content))
	}
}

// dir writes a folder and those above it, unless they are there.
func (l *layerWriter) dir(name string, mode int64) error {
	if name == "." || name == "/" || l.have[name] || l.below[name] {
		return nil
	}
	if err := l.dir(path.Dir(name), 0o755); err != nil {
		return err
	}
	return l.write(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, nil)
}

// write writes one entry, unless one of its name is in the layer or, for
// folders, below it.
func (l *layerWriter) write(header *tar.Header, content io.Reader) error {
	if l.have[header.Name] || header.Typeflag == tar.TypeDir && l.below[header.Name] && header.Mode == 0o755 {
		return nil
	}
	l.have[header.Name] = true
	header.ModTime = header.ModTime.Truncate(time.Second)
	if header.ModTime.IsZero() {
		header.ModTime = time.Unix(0, 0)
	}
	// Names come from this machine's accounts; in the image only ids count.
	header.Uname, header.Gname = "", ""
	header.Format = tar.FormatPAX
	if err := l.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("writing %s: %w", header.Name, err)
	}
	if header.Typeflag == tar.TypeReg && content != nil {
		if _, err := io.Copy(l.tar, content); err != nil {
			return fmt.Errorf("writing %s: %w", header.Name, err)
		}
	}
	return nil
}

// addApplets links the commands of busybox that no package brought.
func (l *layerWriter) addApplets(ctx context.Context, archive string) error {
	dir, err := os.MkdirTemp("", "pintle-busybox-")
	if err != nil {
		return fmt.Errorf("asking busybox for its commands: %w", err)
	}
	defer os.RemoveAll(dir)
	if _, err := capture(ctx, dir, "dpkg-deb", "--extract", archive, dir); err != nil {
		return err
	}
	program := filepath.Join(dir, "bin/busybox")
	if _, err := os.Stat(program); err != nil {
		program = filepath.Join(dir, "usr/bin/busybox")
	}
	out, err := capture(ctx, dir, program, "--list")
	if err != nil {
		return err
	}
	for applet := range strings.FieldsSeq(out) {
		if l.hasCommand(applet) {
			continue
		}
		link := &tar.Header{Typeflag: tar.TypeSymlink, Name: "usr/bin/" + applet, Linkname: "busybox", Mode: 0o777}
		if err := l.write(link, nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *layerWriter) hasCommand(name string) bool {
	return l.have["usr/bin/"+name] || l.have["usr/sbin/"+name]
}
