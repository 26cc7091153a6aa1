package release

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

// fixture reads the record out of a Secret that real Helm wrote.
func fixture(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var secret struct {
		Data map[string][]byte `json:"data"`
	}
	if err := yaml.Unmarshal(text, &secret); err != nil || len(secret.Data["release"]) == 0 {
		t.Fatalf("%s holds no record: %v", path, err)
	}
	return secret.Data["release"]
}

func fixtures(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures in %s: %v", pattern, err)
	}
	return paths
}

func mustDecode(t testing.TB, encoded []byte) *Release {
	t.Helper()
	r, err := Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// reencode gives the JSON that we write for a record.
func reencode(t testing.TB, r *Release) []byte {
	t.Helper()
	encoded, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := unpack(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestHelm4RecordsSurviveByteForByte(t *testing.T) {
	for _, path := range fixtures(t, "helm4") {
		encoded := fixture(t, path)
		want, err := unpack(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(reencode(t, mustDecode(t, encoded)))); diff != "" {
			t.Errorf("%s (-helm +ours):\n%s", path, diff)
		}
	}
}

// Whatever we write, Helm 4 reads, and would write in the same bytes.
func TestHelmWritesTheSameBytes(t *testing.T) {
	for _, path := range fixtures(t, "helm?") {
		ours := reencode(t, mustDecode(t, fixture(t, path)))
		var theirs helm.Release
		if err := json.Unmarshal(ours, &theirs); err != nil {
			t.Errorf("%s: Helm cannot read what we wrote: %v", path, err)
			continue
		}
		again, err := json.Marshal(&theirs)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(path, "helm3") {
			// Helm 4 adds its zero times to a chart that Helm 3 stored; we leave the chart alone.
			ours, again = withoutChart(t, ours), withoutChart(t, again)
		}
		if diff := cmp.Diff(string(again), string(ours)); diff != "" {
			t.Errorf("%s (-helm +ours):\n%s", path, diff)
		}
	}
}

func withoutChart(t *testing.T, raw []byte) []byte {
	t.Helper()
	r, err := unmarshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	r.Chart = nil
	out, err := marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDecodeReadsHelm3(t *testing.T) {
	r := mustDecode(t, fixture(t, "testdata/helm3/installed.yaml"))
	if r.Name != "shop" || r.Namespace != "prod" || r.Revision != 1 || r.Info.Status != Deployed || r.ApplyMethod != "" {
		t.Errorf("got %s %s %d %s %q", r.Name, r.Namespace, r.Revision, r.Info.Status, r.ApplyMethod)
	}
	if !r.Info.Deleted.IsZero() || r.Info.FirstDeployed.IsZero() {
		t.Errorf("times are %v and %v", r.Info.Deleted, r.Info.FirstDeployed)
	}
	if m := r.ChartMetadata(); m.Name != "web" || m.Version != "1.2.3" || m.AppVersion != "4.5" {
		t.Errorf("chart is %+v", m)
	}
	for _, h := range r.Hooks {
		if h.Name == "shop-test" && (!h.LastRun.StartedAt.IsZero() || !h.On(Test)) {
			t.Errorf("the test is %+v", h)
		}
		if h.Name == "shop-token" && (len(h.DeletePolicies) != 1 || !h.InPlace()) {
			t.Errorf("a Secret whose default policy Helm recorded is not updated in place: %+v", h)
		}
	}
}

func TestUnknownFieldsSurvive(t *testing.T) {
	const raw = `{"name":"shop","info":{"status":"deployed","mood":{"a":[1,2.50]}},"chart":{"metadata":{"name":"web"},"x":1e3},` +
		`"manifest":"m","hooks":[{"name":"h","last_run":{"phase":"Succeeded","node":"n1"},"colour":"blue"}],"version":3,"sequencing":null,"zeta":"<z>"}`
	r, err := unmarshal([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	out, err := marshal(r.Clone())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(raw, string(out)); diff != "" {
		t.Errorf("record (-before +after):\n%s", diff)
	}
}

func TestLiveObjectsAreNeverStored(t *testing.T) {
	r, err := unmarshal([]byte(`{"name":"shop","info":{"status":"deployed","resources":{"v1/Pod":[]}},"version":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if out := reencode(t, r); bytes.Contains(out, []byte("resources")) {
		t.Errorf("stored %s", out)
	}
}

func TestEncodeLeavesOutWhatHelmLeavesOut(t *testing.T) {
	r := &Release{Name: "a", Revision: 1, Hooks: []*Hook{{Name: "h"}}, Config: map[string]any{}}
	r.Info.FirstDeployed = time.Date(2026, 1, 2, 3, 4, 5, 600, time.FixedZone("", 3600))
	want := `{"name":"a","info":{"first_deployed":"2026-01-02T03:04:05.0000006+01:00"},"hooks":[{"name":"h","last_run":{"phase":""}}],"version":1}`
	if diff := cmp.Diff(want, string(reencode(t, r))); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestDecodeReadsUncompressedRecords(t *testing.T) {
	r := mustDecode(t, []byte(base64.StdEncoding.EncodeToString([]byte(`{"name":"old","version":2}`))))
	if r.Name != "old" || r.Revision != 2 {
		t.Errorf("got %+v", r)
	}
}

func TestDecodeRefusesWithASentence(t *testing.T) {
	pack64 := func(raw string) string {
		b, err := pack([]byte(raw), gzip.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	good := pack64(`{"name":"a","version":1,"manifest":"` + strings.Repeat("abc", 100) + `"}`)
	for name, tc := range map[string]struct{ encoded, says string }{
		"empty":           {"", "of which release and revision"},
		"not base64":      {"%%%", "it is not base64"},
		"not JSON":        {pack64("hello"), "it is not a JSON object"},
		"an array":        {pack64("[]"), "it is not a JSON object"},
		"null":            {pack64("null"), "of which release and revision"},
		"no name":         {pack64(`{"version":1}`), "of which release and revision"},
		"no revision":     {pack64(`{"name":"a"}`), "of which release and revision"},
		"cut":             {good[:len(good)/8*4], "compressed data is damaged"},
		"bad time":        {pack64(`{"name":"a","version":1,"info":{"deleted":"yesterday"}}`), "info.deleted is not a time"},
		"bad hook":        {pack64(`{"name":"a","version":1,"hooks":[{"weight":"x"}]}`), "hooks[0].weight"},
		"bad hooks":       {pack64(`{"name":"a","version":1,"hooks":{}}`), "its field hooks"},
		"bad run":         {pack64(`{"name":"a","version":1,"hooks":[{"last_run":[]}]}`), "hooks[0].last_run"},
		"bad info":        {pack64(`{"name":"a","version":1,"info":7}`), "its field info"},
		"bad config":      {pack64(`{"name":"a","version":1,"config":[]}`), "its field config"},
		"a gzip bomb":     {gzipBomb(t), "more than 64 MiB"},
		"damaged in gzip": {good[:20] + "AAAA" + good[24:], "compressed data is damaged"},
	} {
		_, err := Decode([]byte(tc.encoded))
		var de *DecodeError
		if !errors.As(err, &de) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want %q", name, err, tc.says)
		}
	}
}

// gzipBomb unpacks to a little more than is allowed: one mebibyte, over and over.
func gzipBomb(t *testing.T) string {
	t.Helper()
	member, err := pack(bytes.Repeat([]byte(" "), 1<<20), gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(string(member))
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(bytes.Repeat(raw, maxUnpacked>>20+1))
}

func FuzzDecode(f *testing.F) {
	for _, path := range fixtures(f, "helm?") {
		f.Add(fixture(f, path))
	}
	for _, raw := range []string{`{"name":"a","version":1,"hooks":[null,{}],"info":null,"chart":null}`, `{"name":"a","version":1,"info":{"deleted":""},"x":{}}`} {
		f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(raw))))
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		r, err := Decode(encoded)
		if err != nil {
			return
		}
		again, err := Encode(r)
		if err != nil {
			t.Skip("such a time has no JSON form")
		}
		second := mustDecode(t, again)
		if diff := cmp.Diff(string(reencode(t, r)), string(reencode(t, second))); diff != "" {
			t.Errorf("a record changes when it is read and written (-first +second):\n%s", diff)
		}
	})
}

func TestSize(t *testing.T) {
	r := &Release{Name: "big", Revision: 2, Manifest: strings.Repeat("x", 5000), Hooks: []*Hook{{Kind: "Job", Name: "h", Manifest: "y"}}}
	r.Chart = json.RawMessage(`{"metadata":{"name":"w"},"templates":[{"name":"templates/a.yaml","data":"` + base64.StdEncoding.EncodeToString(make([]byte, 9000)) + `"}],"files":[]}`)
	if err := CheckSize(r, make([]byte, MaxSize)); err != nil {
		t.Errorf("a record that just fits: %v", err)
	}
	err := CheckSize(r, make([]byte, MaxSize+1))
	want := "the record of revision 2 of release big needs 1025 KiB and a cluster stores at most 1024 KiB; its biggest parts before compression: " +
		"the chart's file templates/a.yaml (9 KiB), the rendered manifest (5 KiB), the chart's metadata (1 KiB)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func benchmarkRecord(b *testing.B) *Release {
	paths, _ := filepath.Glob("../object/*.go")
	var text strings.Builder
	for _, p := range paths {
		content, _ := os.ReadFile(p)
		text.Write(content)
	}
	r := &Release{Name: "big", Revision: 2, Manifest: strings.Repeat(text.String(), 8)}
	data, _ := json.Marshal([]chartFile{{"a", []byte(strings.Repeat(text.String(), 10))}})
	r.Chart = json.RawMessage(`{"metadata":{"name":"w"},"templates":` + string(data) + `}`)
	return r
}

func BenchmarkEncode(b *testing.B) {
	r := benchmarkRecord(b)
	raw, _ := marshal(r)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Encode(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := benchmarkRecord(b)
	raw, _ := marshal(r)
	encoded, _ := Encode(r)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
