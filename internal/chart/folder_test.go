//go:build unix

package chart

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// link makes a link in a chart's folder.
func link(t *testing.T, target, folder, name string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// shared is a folder that holds a chart, and things beside it.
func shared(t *testing.T) (chart, beside string) {
	dir := unpack(t, strings.ReplaceAll(chartFiles, "-- ", "-- web/")+`
-- web/files/a.txt --
inside
-- web/templates/x.yaml --
a: {{ .Files.Get "files/link" | quote }}
b: {{ .Files.Get "../shared/secret.txt" | quote }}
c: {{ .Files.Get "/etc/passwd" | quote }}
d: {{ len (.Files.Glob "../**") }}
-- shared/secret.txt --
outside
-- shared/lib/Chart.yaml --
apiVersion: v2
name: lib
version: 1.0.0
`)
	return filepath.Join(dir, "web"), filepath.Join(dir, "shared")
}

// TestLinksInFolders lets links lead anywhere within a chart, and nowhere else
// unless that was allowed.
func TestLinksInFolders(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, chart, beside string)
		// allow names a root, "beside" or "file".
		allow string
		// want is what the template sees, or what the error says.
		want, fails string
	}{
		{name: "within", make: func(t *testing.T, c, _ string) { link(t, "a.txt", c, "files/link") }, want: `a: "inside\n"`},
		{name: "out", make: func(t *testing.T, c, _ string) { link(t, "../../shared/secret.txt", c, "files/link") }, fails: "files/link is a link out of the chart"},
		{name: "absolute", make: func(t *testing.T, c, _ string) { link(t, "/etc/passwd", c, "files/link") }, fails: "to /etc/passwd"},
		{name: "by a folder", make: func(t *testing.T, c, _ string) { link(t, "/etc", c, "files/etc") }, fails: "--link-root /etc,"},
		{name: "by two links", make: func(t *testing.T, c, b string) {
			link(t, "second", c, "files/link")
			link(t, filepath.Join(b, "secret.txt"), c, "files/second")
		}, fails: "link out of the chart"},
		{name: "allowed", make: func(t *testing.T, c, _ string) { link(t, "../../shared/secret.txt", c, "files/link") }, allow: "beside", want: `a: "outside\n"`},
		{name: "subchart", make: func(t *testing.T, c, _ string) { link(t, "../../shared/lib", c, "charts/lib") }, allow: "beside", want: "a:"},
		{name: "out of what is allowed", make: func(t *testing.T, c, b string) {
			link(t, "../../shared/lib", c, "charts/lib")
			link(t, "/etc/passwd", b, "lib/files/passwd")
		}, allow: "beside", fails: "charts/lib/files/passwd is a link out"},
		{name: "a name that only begins the same", make: func(t *testing.T, c, b string) {
			if err := os.Rename(b, c+"-secret"); err != nil {
				t.Fatal(err)
			}
			link(t, "../../web-secret/secret.txt", c, "files/link")
		}, fails: "link out of the chart"},
		{name: "in a circle", make: func(t *testing.T, c, _ string) { link(t, ".", c, "files/again") }, fails: "leads back"},
		{name: "to itself", make: func(t *testing.T, c, _ string) { link(t, "link", c, "files/link") }, fails: "leads nowhere"},
		{name: "nowhere", make: func(t *testing.T, c, _ string) { link(t, "gone", c, "files/link") }, fails: "there is nothing at gone"},
		{name: "left out", make: func(t *testing.T, c, _ string) {
			link(t, "/etc/passwd", c, "files/link")
			write(t, c, ".helmignore", "files/link\n")
		}, want: `a: ""`},
		{name: "as Kubernetes mounts a ConfigMap", make: func(t *testing.T, c, _ string) {
			write(t, c, "..2026_11_28/link", "mounted\n")
			link(t, "..2026_11_28", c, "..data")
			link(t, "../..data/link", c, "files/link")
		}, want: `a: "mounted\n"`},
		{name: "a pipe", make: func(t *testing.T, c, _ string) {
			if err := syscall.Mkfifo(filepath.Join(c, "files", "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fails: "neither a file nor a folder"},
		{name: "a pipe as .helmignore", make: func(t *testing.T, c, _ string) {
			if err := syscall.Mkfifo(filepath.Join(c, ".helmignore"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fails: ".helmignore is no file"},
		{name: "a link as .helmignore", make: func(t *testing.T, c, _ string) { link(t, "/dev/zero", c, ".helmignore") }, fails: ".helmignore is a link out"},
		{name: "a bomb among the subcharts", make: func(t *testing.T, c, _ string) {
			write(t, c, "charts/a.tgz", string(packed(t, file("web/../x", ""))))
		}, fails: "outside the chart"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chart, beside := shared(t)
			tt.make(t, chart, beside)
			var opts OpenOptions
			if tt.allow == "beside" {
				opts.LinkRoots = []string{beside}
			}
			c, err := Open(chart, opts)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("got %v, want an error that says %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, c, nil).Manifest
			for _, want := range []string{tt.want, `b: ""`, `c: ""`, "d: 0"} {
				if !strings.Contains(got, want) {
					t.Errorf("no %s in\n%s", want, got)
				}
			}
		})
	}
}

// TestFolderLimits counts what .helmignore does not leave out.
func TestFolderLimits(t *testing.T) {
	chart, _ := shared(t)
	for _, name := range []string{"1", "2", "3", "4", "5", "6"} {
		write(t, chart, "node_modules/"+name, strings.Repeat("x", 1000))
	}
	for text, want := range map[string]string{
		"chart-files=8": "more than 8 files", "file-size=900": "is 1000 bytes long", "chart-size=5000": "more than 4.9 KiB",
	} {
		if _, err := Open(chart, limits(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	write(t, chart, ".helmignore", "node_modules/\n")
	if _, err := Open(chart, limits(t, "chart-files=8,file-size=900,chart-size=5000")); err != nil {
		t.Error(err)
	}
}

func TestALinkRootMustBeThere(t *testing.T) {
	chart, beside := shared(t)
	_, err := Open(chart, OpenOptions{LinkRoots: []string{beside + "-gone"}})
	if err == nil || !strings.Contains(err.Error(), "--link-root") {
		t.Errorf("got %v", err)
	}
}
