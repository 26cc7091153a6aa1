package object_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	helmutil "helm.sh/helm/v4/pkg/release/v1/util"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestKindOrdersAreHelms(t *testing.T) {
	for name, tc := range map[string]struct {
		ours object.KindOrder
		helm helmutil.KindSortOrder
	}{
		"install":   {object.InstallOrder, helmutil.InstallOrder},
		"uninstall": {object.UninstallOrder, helmutil.UninstallOrder},
	} {
		kinds := slices.Clone([]string(tc.helm))
		slices.Sort(kinds) // any order but the right one
		object.SortByKind(kinds, tc.ours, func(k string) string { return k })
		if diff := cmp.Diff([]string(tc.helm), kinds); diff != "" {
			t.Errorf("%s order (-helm +ours):\n%s", name, diff)
		}
		for _, k := range kinds {
			if !tc.ours.Known(k) {
				t.Errorf("%s order does not know %s", name, k)
			}
		}
	}
}

func TestOtherKindsComeLastByKindAndKeepTheirOrder(t *testing.T) {
	items := []string{"Zebra 1", "Widget 1", "Deployment 1", "Zebra 2", "Namespace 1", "Widget 2"}
	kind := func(s string) string { k, _, _ := strings.Cut(s, " "); return k }
	object.SortByKind(items, object.InstallOrder, kind)
	want := []string{"Namespace 1", "Deployment 1", "Widget 1", "Widget 2", "Zebra 1", "Zebra 2"}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
