package cli

import (
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// testHooks are tests as a chart may have them: name, suite, labels.
func testHooks() []plan.Hook {
	var out []plan.Hook
	for _, h := range [][3]string{{"shop-auth", "auth", "tier=web"}, {"shop-data", "data", "tier=db,slow=true"}, {"shop-dns", "", ""}, {"other", "data", "tier=db"}} {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		labels := map[string]string{}
		for pair := range strings.SplitSeq(h[2], ",") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				labels[key] = value
			}
		}
		object.SetLabels(labels)
		out = append(out, plan.Hook{Hook: &release.Hook{Name: h[0]}, Object: object, Steering: release.Options{Suite: h[1]}})
	}
	return out
}

func TestFilters(t *testing.T) {
	tests := []struct{ filters, want string }{
		{"name=shop-auth", "shop-auth"},
		{"name=shop-auth name=other", "shop-auth other"},
		{"name=shop-*", "shop-auth shop-data shop-dns"},
		{"!name=shop-auth", "shop-data shop-dns other"},
		{"name=shop-* !name=*-dns", "shop-auth shop-data"},
		{"name=shop-auth !name=shop-auth", ""},
		{"suite=data", "shop-data other"},
		{"suite=data suite=auth", "shop-auth shop-data other"},
		{"suite=data name=shop-*", "shop-data"},
		{"!suite=*", ""},
		{"!suite=?*", "shop-dns"},
		{"label=tier", "shop-auth shop-data other"},
		{"label=tier=db", "shop-data other"},
		{"label=tier=db label=tier=web", "shop-auth shop-data other"},
		{"label=tier=db label=slow", "shop-data"},
		{"!label=slow=true suite=data", "other"},
	}
	for _, tt := range tests {
		t.Run(tt.filters, func(t *testing.T) {
			chosen, err := testSelector(strings.Fields(tt.filters))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range testHooks() {
				if chosen(h) {
					got = append(got, h.Name)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFiltersThatMakeNoSense(t *testing.T) {
	for _, text := range []string{"auth", "name=", "!name", "kind=Pod", "name=[", "=x", ""} {
		if _, err := testSelector([]string{text}); err == nil {
			t.Errorf("%q was taken", text)
		} else if exitCode(err, nil) != exitUsage {
			t.Errorf("%q: the exit code is %d", text, exitCode(err, nil))
		}
	}
}
