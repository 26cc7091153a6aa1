package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sized(size int, walls ...time.Duration) row {
	r := newRow("install", "")
	r.Size, r.Series = size, "install"
	for _, w := range walls {
		r.Samples["pintle"] = append(r.Samples["pintle"], sample{Wall: w})
	}
	return *r
}

func TestLineThroughMedians(t *testing.T) {
	rows := []row{
		sized(1000, 3*time.Second), sized(50, 1100*time.Millisecond), sized(200, time.Hour, 1400*time.Millisecond, time.Second),
		sized(5000, 11*time.Second), sized(0, time.Hour),
	}
	got := sizes[0].curves(rows)
	if len(got) != 1 || got[0].tool != "pintle" {
		t.Fatal(got)
	}
	if c := got[0]; math.Abs(c.base-1) > 1e-9 || math.Abs(c.slope-0.002) > 1e-12 || c.r2 < 0.9999 {
		t.Errorf("%g + %g x, R² %g", c.base, c.slope, c.r2)
	}
	if got := sizes[0].curves(rows[:2]); len(got) != 0 {
		t.Errorf("two points make a line: %v", got)
	}
	bent := sizes[0].curves([]row{sized(10, time.Second), sized(20, 4*time.Second), sized(30, 9*time.Second), sized(1000, 10*time.Second)})
	if bent[0].r2 > 0.9 {
		t.Errorf("R² of a bend is %g", bent[0].r2)
	}
}

func TestMedian(t *testing.T) {
	for want, walls := range map[time.Duration][]time.Duration{0: nil, 3: {3}, 2: {1, 3}, 5: {9, 1, 5}} {
		var samples []sample
		for _, w := range walls {
			samples = append(samples, sample{Wall: w})
		}
		if got := median(samples, wallOf); got != want {
			t.Errorf("%v: %d", walls, got)
		}
	}
}

func TestResultsAreMerged(t *testing.T) {
	dir := t.TempDir()
	first, err := openResults(dir, "m")
	if err != nil {
		t.Fatal(err)
	}
	one, two := newRow("version", ""), newRow("list, records by helm", "")
	for _, r := range []*row{one, two} {
		r.Samples["pintle"], r.Samples["helm"] = []sample{{Wall: 1}}, []sample{{Wall: 10}}
	}
	if err := first.put([]row{*two, *one}); err != nil {
		t.Fatal(err)
	}
	again, err := openResults(dir, "m")
	if err != nil {
		t.Fatal(err)
	}
	again.into = filepath.Join(dir, "page.md")
	if err := os.WriteFile(again.into, []byte("above\n"+spliceBegin+"old\n"+spliceEnd+"below\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	two.Samples["pintle"] = []sample{{Wall: 9}}
	if err := again.put([]row{*two}); err != nil {
		t.Fatal(err)
	}
	if len(again.Rows) != 2 || again.Rows[0].Scenario != "version" || again.Rows[1].wall("pintle") != 0.9 {
		t.Error(again.Rows)
	}
	page := again.page()
	if text, err := os.ReadFile(again.into); err != nil || string(text) != "above\n"+spliceBegin+page+spliceEnd+"below\n" {
		t.Errorf("the page is %q, error %v", text, err)
	}
	for _, want := range []string{"| version | wall | 0.60 | 0.100 | met |", "| list, records by helm | wall | 0.25 | 0.900 | **missed** |"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in\n%s", want, page)
		}
	}
}
