package cli

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// TestEveryExitCodeIsDescribed compares the codes with their page.
func TestEveryExitCodeIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllSubmatch(page, -1) {
		code, err := strconv.Atoi(string(row[1]))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, code)
	}
	want := []int{
		exitDone, exitFailed, exitUsage, exitHook, exitTest, exitNotReady, exitLocked, exitRefused, exitRolledBack, exitRollbackFailed,
		exitInterrupted, exitTerminated,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page has %v, the program %v", got, want)
	}
}
