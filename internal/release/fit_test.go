package release

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v4/pkg/release/v1"
)

// noise is text of about n bytes that compresses badly.
func noise(n int) string {
	raw := make([]byte, n*3/4)
	rand.New(rand.NewSource(1)).Read(raw)
	return base64.StdEncoding.EncodeToString(raw)
}

// sized is a record of a chart with one template of that size.
func sized(template, manifest int) *Release {
	data, _ := json.Marshal([]chartFile{{"templates/a.yaml", []byte(noise(template))}})
	return &Release{
		Name: "big", Revision: 2, Manifest: noise(manifest), Hooks: []*Hook{{Name: "h", Kind: "Job"}},
		Chart: json.RawMessage(`{"metadata":{"name":"web","version":"1.0.0"},"lock":null,"templates":` + string(data) +
			`,"values":{"a":1},"schema":"e30=","files":[{"name":"README.md","data":"eA=="}]}`),
	}
}

func TestFitLeavesSmallRecordsAlone(t *testing.T) {
	r := sized(1000, 1000)
	got, notes, err := Fit(r, MaxSize)
	if got != r || len(notes) != 0 || err != nil {
		t.Errorf("got %v, %v, %v", got == r, notes, err)
	}
}

func TestFitWarnsNearTheLimit(t *testing.T) {
	r := sized(750_000, 1000)
	got, notes, err := Fit(r, MaxSize)
	if got != r || err != nil || len(notes.Warnings()) != 1 || !strings.Contains(notes.Error(), "the chart's file templates/a.yaml") {
		t.Errorf("got %v, %v, %v", got == r, notes, err)
	}
}

func TestFitDropsWhatIsNotNeeded(t *testing.T) {
	r := sized(1_200_000, 1000)
	got, notes, err := Fit(r, MaxSize)
	if err != nil || len(notes.Warnings()) != 1 || !strings.Contains(notes.Error(), "without the chart's templates") {
		t.Fatalf("got %v, %v", notes, err)
	}
	want := `{"files":[],"lock":null,"metadata":{"name":"web","version":"1.0.0"},"schema":null,"templates":[],"values":{"a":1}}`
	if diff := cmp.Diff(want, string(got.Chart)); diff != "" {
		t.Errorf("chart (-want +got):\n%s", diff)
	}
	if got.Manifest != r.Manifest || len(got.Hooks) != 1 {
		t.Error("manifest or hooks are not whole")
	}
	encoded, err := Encode(got)
	if err != nil || CheckSize(got, encoded) != nil {
		t.Errorf("it does not fit: %d bytes, %v", len(encoded), err)
	}
	var theirs helm.Release
	raw, _ := marshal(got)
	if err := json.Unmarshal(raw, &theirs); err != nil || theirs.Chart.Values["a"] != 1.0 || theirs.Chart.Metadata.Name != "web" {
		t.Errorf("Helm reads %+v, %v", theirs.Chart, err)
	}
}

func TestFitRefusesWhatCannotBeStored(t *testing.T) {
	_, _, err := Fit(sized(1000, 1_500_000), MaxSize)
	var big *TooBigError
	if !errors.As(err, &big) || big.Parts[0].Name != "the rendered manifest" {
		t.Errorf("got %v", err)
	}
	bare := sized(0, 1_500_000)
	bare.Chart = nil
	if _, _, err := Fit(bare, MaxSize); !errors.As(err, &big) {
		t.Errorf("without a chart: %v", err)
	}
}

func TestShrinkTwiceIsOnce(t *testing.T) {
	small, dropped := Shrink(sized(100, 100))
	if again, more := Shrink(small); !dropped || more || again != small {
		t.Errorf("dropped %v, then %v", dropped, more)
	}
}
