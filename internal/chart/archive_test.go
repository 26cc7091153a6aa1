package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/diag"
)

// packed is an archive of the entries, with a good Chart.yaml first.
func packed(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	return gzipped(t, append([]tar.Header{file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")}, entries...)...)
}

// file is an entry whose content travels in a field that has no other use here.
func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content)), Uname: content}
}

func gzipped(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, e := range entries {
		content := e.Uname
		e.Uname = ""
		if err := w.WriteHeader(&e); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case e.Typeflag == tar.TypeLink: // the size is only claimed
		case int64(len(content)) == e.Size:
			_, err = io.WriteString(w, content)
		default: // zeros
			_, err = io.CopyN(w, zeros{}, e.Size)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sparse makes a GNU sparse file, which tar -S writes and Go does not, of the last
// entry of an archive.
func sparse(t testing.TB, name, content string) []byte {
	t.Helper()
	e := file(name, content)
	e.Format = tar.FormatGNU
	unzipped, err := gzip.NewReader(bytes.NewReader(packed(t, e)))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(archive, []byte(name+"\x00"))
	header := archive[at : at+512]
	header[156] = tar.TypeGNUSparse
	copy(header[386:], fmt.Sprintf("%011o\x00%011o\x00", 0, len(content))) // one piece: all of it
	copy(header[483:], fmt.Sprintf("%011o\x00", len(content)))
	copy(header[148:156], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func stored(t testing.TB, archive []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web-1.0.0.tgz")
	if err := os.WriteFile(path, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func limits(t testing.TB, text string) OpenOptions {
	t.Helper()
	var opts OpenOptions
	if err := opts.Limits.Set(text); err != nil {
		t.Fatal(err)
	}
	return opts
}

// TestHostileArchives opens archives that no chart should be.
func TestHostileArchives(t *testing.T) {
	good := packed(t, file("web/templates/a.yaml", strings.Repeat("# comment\n", 1000)))
	tampered := bytes.Clone(good)
	tampered[len(tampered)-6] ^= 1 // in the checksum
	sub := func(entries ...tar.Header) string { return string(packed(t, entries...)) }
	many := make([]tar.Header, 30)
	for i := range many {
		many[i] = file(fmt.Sprintf("web/files/%d", i), "x")
	}
	nested := sub()
	for range maxDepth {
		nested = sub(file("web/charts/web.tgz", nested))
	}
	zero := func(name string, size int64) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: size}
	}
	tests := []struct {
		name    string
		archive []byte
		limits  string
		want    []string
	}{
		{"no gzip", []byte("apiVersion: v2\n"), "", []string{"gzipped"}},
		{"empty", nil, "", []string{"gzip"}},
		{"cut short", good[:len(good)/2], "", []string{"damaged", "ends too early"}},
		{"tampered with", tampered, "", []string{"damaged", "checksum"}},
		{"parent", packed(t, file("web/../../etc/cron.d/x", "")), "", []string{"outside the chart", "../../etc/cron.d/x"}},
		{"absolute", packed(t, file("/etc/cron.d/x", "")), "", []string{"absolute path"}},
		{"drive", packed(t, file(`c:\windows\x`, "")), "", []string{"absolute path"}},
		{"backslashes", packed(t, file(`web\..\..\x`, "")), "", []string{"outside the chart"}},
		{"mixed", packed(t, file(`web/templates\x.yaml`, "")), "", []string{"mixes"}},
		{"beside the chart", packed(t, file("x.yaml", "")), "", []string{"outside the chart's folder"}},
		{"absolute within", packed(t, file("web//etc/x", "")), "", []string{"absolute path"}},
		{"drive within", packed(t, file("web/c:/x", "")), "", []string{"absolute path"}},
		{"two dots", packed(t, file("web/..x", "")), "", []string{"two dots"}},
		{"within a file", packed(t, file("Chart.yaml/x", "")), "", []string{"outside the chart's folder"}},
		{"terminal", packed(t, file("web/templates/\x1b[2J.yaml", "")), "", []string{`\x1b`}},
		{"line", packed(t, file("web/templates/a\n---\nkind: Secret.yaml", "")), "", []string{"cannot be shown"}},
		{"long name", packed(t, file("web/"+strings.Repeat("charts/web/", 200)+"x", "")), "", []string{"bytes long"}},
		{"link out", packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeSymlink, Linkname: "../../secret"}), "", []string{"link out of the chart", "../../secret"}},
		{"absolute link", packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "", []string{"link out of the chart", "/etc/passwd"}},
		{"hard link", packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeLink, Linkname: "web/../../etc/passwd"}), "", []string{"link out of the chart"}},
		{"link with a content", packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeLink, Linkname: "web/values.yaml", Size: 5}), "", []string{"link with a content"}},
		{"device", packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeChar}), "", []string{"neither a file nor a folder"}},
		{"twice", packed(t, file("web/values.yaml", "a: 1"), file("web/values.yaml", "a: 2")), "", []string{"values.yaml twice"}},
		{"two roots", packed(t, file("web/values.yaml", "a: 1"), file("other/values.yaml", "a: 2")), "", []string{"values.yaml twice"}},
		{"packed size", good, "archive-size=100", []string{"archive-size is 100", "--limit archive-size", "PINTLE_LIMITS"}},
		{"files", packed(t, many...), "chart-files=20", []string{"more than 20 files", "chart-files is 20"}},
		{"file size", packed(t, zero("web/files/x", 40<<20)), "", []string{"40.0 MiB", "file-size is 32Mi"}},
		{"all sizes", packed(t, zero("web/files/1", 30<<20), zero("web/files/2", 30<<20), zero("web/files/3", 30<<20), zero("web/files/4", 30<<20)), "", []string{"more than 100.0 MiB", "chart-size is 100Mi"}},
		{"after the end", append(bytes.Clone(good), gzipped(t, zero("x", 200<<20))...), "", []string{"chart-size is 100Mi"}},
		{"subcharts", packed(t, file("web/charts/a.tgz", sub(zero("web/x", 30<<20))), file("web/charts/b.tgz", sub(zero("web/y", 30<<20)))), "chart-size=50Mi", []string{"more than 50.0 MiB", "chart-size is 50Mi"}},
		{"subcharts' files", packed(t, file("web/charts/a.tgz", sub(many...))), "chart-files=20", []string{"chart-files is 20"}},
		{"link in a subchart", packed(t, file("web/charts/a.tgz", sub(tar.Header{Name: "web/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))), "", []string{"charts/a.tgz", "/etc/passwd"}},
		{"a subchart in another form", sparse(t, "web/charts/a.tgz", sub(file("web/../x", ""))), "", []string{"charts/a.tgz", "outside the chart"}},
		{"ever deeper", packed(t, file("web/charts/web.tgz", nested)), "", []string{"archives within archives"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := limits(t, tt.limits)
			_, err := Open(stored(t, tt.archive), opts)
			if err == nil {
				t.Fatal("it was opened")
			}
			if diag.Problems(err) == nil {
				t.Errorf("%v is no problem of the user's", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\x1b") {
				t.Errorf("%q could move a terminal's cursor", err)
			}
		})
	}
}

// TestHelmsBoundGoesAlong raises our limit above Helm's, and does not leave it there.
func TestHelmsBoundGoesAlong(t *testing.T) {
	archive := stored(t, packed(t, tar.Header{Name: "web/files/x", Typeflag: tar.TypeReg, Size: 110 << 20}))
	for range 2 {
		if _, err := Open(archive, limits(t, "chart-size=200Mi,file-size=200Mi")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(archive, limits(t, "file-size=200Mi")); err == nil {
			t.Fatal("the limit has gone")
		}
	}
}

// TestHarmlessArchives opens archives that are odd and that Helm opens too.
func TestHarmlessArchives(t *testing.T) {
	c, err := Open(stored(t, gzipped(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}},
		tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		file("./Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
		tar.Header{Name: "./README", Typeflag: tar.TypeSymlink, Linkname: "docs/README"},
		file("./templates/ü.yaml", ""),
	)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings()) != 1 || !strings.Contains(c.Warnings()[0].Summary, "README") {
		t.Errorf("the link is not told: %v", c.Warnings())
	}
}
