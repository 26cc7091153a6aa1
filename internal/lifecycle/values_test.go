package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValuesReportNamesAndNeverShows(t *testing.T) {
	old := map[string]any{"image": map[string]any{"tag": "1", "pullPolicy": "Always"}, "password": "hunter2", "list": []any{1}}
	now := map[string]any{"image": map[string]any{"tag": "2", "pullPolicy": "Always"}, "list": []any{1.0}}
	got := valuesReport(old, now).Error()
	want := "values of the revision before: kept image.pullPolicy, list; changed image.tag; dropped password"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if valuesReport(nil, now) != nil {
		t.Error("a release without values has nothing to tell")
	}
}

func TestForgottenValues(t *testing.T) {
	oldDefaults := map[string]any{"a": map[string]any{"x": 1, "y": 2}, "free": map[string]any{}, "gone": nil, "same": true}
	newDefaults := map[string]any{"a": map[string]any{"x": 1}, "free": map[string]any{}, "same": false}
	now := map[string]any{"a": map[string]any{"x": 5, "y": 6}, "free": map[string]any{"anything": 1}, "gone": 1, "same": 1, "never": 1}
	got := forgottenValues(now, oldDefaults, newDefaults)
	if len(got) != 1 || got[0].Summary != "the new chart does not know these values any more: a.y, gone" {
		t.Errorf("got %+v", got)
	}
	if forgottenValues(map[string]any{"a": map[string]any{"x": 1}}, oldDefaults, newDefaults) != nil {
		t.Error("a known value was reported")
	}
}
