package ui

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEveryFieldIsDescribed compares the forms that we promise with their page.
func TestEveryFieldIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/test-results.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []any{testResult{}, testCounts{}, testReport{}, testAttempt{}, testContainer{}, testList{}, testItem{}} {
		typ := reflect.TypeOf(form)
		for field := range typ.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && name != "-" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("the page does not tell of %s in %s", name, typ.Name())
			}
		}
	}
	for _, element := range []string{"failure", "error", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "skipped", "system-out"} {
		if !strings.Contains(string(page), "`"+element+"`") {
			t.Errorf("the page does not tell of the element %s", element)
		}
	}
}
