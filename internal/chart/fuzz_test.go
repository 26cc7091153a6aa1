package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// FuzzMergeEqualsHelm merges values in Helm's order with Helm's parsers alone,
// and with ours: they agree on what is an error and on what comes out.
func FuzzMergeEqualsHelm(f *testing.F) {
	f.Add("a: {b: 1}\n", "a.b=2", "a.c=1", `a={"c":null}`, "x=y,z")
	f.Add("a: [1, 2]\n---\nb: x\n", "a[1]=x,c={1,2}", "c[3]=1", `{"a":[{}]}`, "a=")
	f.Add("a: null\n", "a.b.c=null,d=0x10,e=007,f=1e3,g=true", "d=1", `a=1,b="x,y"`, "a.b[0]={}")
	f.Add("global: {x: 1}\n", `a\.b=c,d={},e[0].f=1`, `a=\,`, "  {\"a\": {\"b\": 1e400}}", "")
	f.Add("", "a[-1]=1", "a[99999999]=1", "{", "=")
	file := filepath.Join(f.TempDir(), "values.yaml")
	f.Fuzz(func(t *testing.T, yaml, set, setString, setJSON, setLiteral string) {
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		want, wantErr := helmsMerge(yaml, set, setString, setJSON, setLiteral)
		got, err := ValuesOptions{
			Files: []string{file}, Set: []string{set}, SetString: []string{setString}, SetJSON: []string{setJSON}, SetLiteral: []string{setLiteral},
		}.Merge(t.Context())
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, Helm says %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("-helm +ours:\n%s", cmp.Diff(want, got))
		}
	})
}

// helmsMerge does what Helm's MergeValues does with one of each flag. That has
// too many dependencies to be called here.
func helmsMerge(yaml, set, setString, setJSON, setLiteral string) (map[string]any, error) {
	base, err := loader.LoadValues(strings.NewReader(yaml))
	if err != nil {
		return nil, err
	}
	if trimmed := strings.TrimSpace(setJSON); strings.HasPrefix(trimmed, "{") {
		var object map[string]any
		if err := json.Unmarshal([]byte(trimmed), &object); err != nil {
			return nil, err
		}
		base = loader.MergeMaps(base, object)
	} else if err := strvals.ParseJSON(setJSON, base); err != nil {
		return nil, err
	}
	if err := strvals.ParseInto(set, base); err != nil {
		return nil, err
	}
	if err := strvals.ParseIntoString(setString, base); err != nil {
		return nil, err
	}
	return base, strvals.ParseLiteralInto(setLiteral, base)
}

// FuzzArchive opens what is in a packed chart: it never crashes, and nothing
// that is above a limit or outside the chart comes through.
func FuzzArchive(f *testing.F) {
	plain := func(entries ...tar.Header) []byte {
		z, err := gzip.NewReader(bytes.NewReader(packed(f, entries...)))
		if err != nil {
			f.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	f.Add(plain(file("web/values.yaml", "a: 1\n"), file("web/templates/a.yaml", "a: {{ .Values.a }}\n")))
	f.Add(plain(file("web/charts/db.tgz", string(packed(f))), file("web/charts/x/Chart.yaml", "name: x\nversion: 1.0.0\n")))
	f.Add(plain(tar.Header{Name: "web/files/x", Typeflag: tar.TypeSymlink, Linkname: "../x"}, file("web/requirements.yaml", "dependencies: [{name: a}]\n")))
	f.Add(plain(file("web/Chart.lock", "x: 1\n"), file("web/values.schema.json", "{}"), file(`web\x`, "")))
	f.Add(plain(file("web/values.yaml", "\ufeffa: 1\n"), file("web//x", ""), file("web/..x", ""), file("web/c:/x", ""), file("Chart.yaml/x", "")))
	limits := limits(f, "chart-size=1Mi,file-size=500Ki,chart-files=50").Limits
	f.Fuzz(func(t *testing.T, content []byte) {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(content) // into memory
		_ = z.Close()
		in := &intake{limits: limits}
		files, err := in.archive("web.tgz", out.Bytes(), 1)
		if err != nil {
			if diag.Problems(err) == nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return r == 0x1b }) {
				t.Errorf("no problem that a terminal can show: %q", err)
			}
			return
		}
		if theirs, err := archive.LoadArchiveFiles(bytes.NewReader(out.Bytes())); len(files) > 0 && (err != nil || !reflect.DeepEqual(files, theirs)) {
			t.Errorf("unpacked as %v; Helm has %v, %v", files, theirs, err)
		}
		loaded, err := loader.LoadArchive(bytes.NewReader(out.Bytes()))
		if err != nil {
			_ = loadProblem("web.tgz", err).Error()
			return
		}
		total := 0
		for _, raw := range loaded.Raw {
			total += len(raw.Data)
			if path.IsAbs(raw.Name) || raw.Name != path.Clean(raw.Name) || strings.HasPrefix(raw.Name, "../") {
				t.Errorf("%q is in the chart", raw.Name)
			}
		}
		if total > 1<<20 {
			t.Errorf("%d bytes came through", total)
		}
	})
}

// FuzzWire reads what is no message, and writes again what is one.
func FuzzWire(f *testing.F) {
	chart := wireChart{Templates: []wireFile{{"a", []byte("x")}}, Dependencies: []wireChart{{}}}
	shared := map[string]any{"x": int64(1)}
	good, err := encodeWire(renderRequest{Chart: chart, Values: map[string]any{"a": shared, "b": shared, "c": []any{nil, 1.5, "\xff", true}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		var request renderRequest
		if decodeWire(data, &request) != nil {
			return
		}
		again, err := encodeWire(request)
		if err != nil {
			t.Fatal(err)
		}
		var second renderRequest
		if err := decodeWire(again, &second); err != nil {
			t.Fatal(err)
		}
	})
}
