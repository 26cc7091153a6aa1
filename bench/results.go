package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one line of the result: one thing that was measured, with all tools.
type row struct {
	Scenario string    `json:"scenario"`
	What     string    `json:"what,omitempty"`
	Date     time.Time `json:"date"`
	// Samples are the counted rounds of each tool.
	Samples map[string][]sample `json:"samples,omitempty"`
	// Requests are those that the API server got, counted in a round of its own.
	Requests map[string]int64 `json:"requests,omitempty"`
	// Binary is the size of the tool's file, in bytes.
	Binary map[string]int64 `json:"binaryBytes,omitempty"`
	// Size is how many objects or releases it was, Series what that is a point of.
	Size   int    `json:"size,omitempty"`
	Series string `json:"series,omitempty"`
	// Note says what is to be known: why it was left out, what was compared.
	Note   string `json:"note,omitempty"`
	Failed bool   `json:"failed,omitempty"`
}

func newRow(scenario, what string) *row {
	return &row{Scenario: scenario, What: what, Samples: map[string][]sample{}, Requests: map[string]int64{}, Binary: map[string]int64{}}
}

// add takes in a sample if its round counts.
func (r *row) add(at turn, s sample) {
	if at.counted && s.Wall != 0 {
		r.Samples[at.tool.name] = append(r.Samples[at.tool.name], s)
	}
}

// ratio is a tool's median over that of Helm 4; 0 where there is none.
func (r row) ratio(name string, of func(sample) int64) float64 {
	helm, own := median(r.Samples["helm"], of), median(r.Samples[name], of)
	if helm == 0 {
		return 0
	}
	return float64(own) / float64(helm)
}

func (r row) wall(name string) float64 {
	return r.ratio(name, func(s sample) int64 { return int64(s.Wall) })
}

func (r row) peak(name string) float64 { return r.ratio(name, peakOf) }

// results are what latest.json holds. Rows that are measured again replace
// those of before, so that a part can be measured anew.
type results struct {
	dir string
	// into is a page that takes the tables in; empty for none.
	into    string
	Version int       `json:"version"`
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Rows    []row     `json:"rows"`
}

// resultVersion is that of the form of latest.json.
const resultVersion = 2

// openResults reads what an earlier run has left, if that has our form.
func openResults(dir, machine string) (*results, error) {
	r := &results{}
	text, err := os.ReadFile(filepath.Join(dir, "latest.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case json.Unmarshal(text, r) != nil || r.Version != resultVersion:
		r = &results{}
	}
	r.dir, r.Version = dir, resultVersion
	if machine == "" {
		machine = fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	}
	r.Machine = machine
	return r, os.MkdirAll(dir, 0o755)
}

// put takes rows in and writes everything anew.
func (r *results) put(rows []row) error {
	for _, n := range rows {
		r.Rows = slices.DeleteFunc(r.Rows, func(old row) bool { return old.Scenario == n.Scenario })
	}
	r.Rows = append(r.Rows, rows...)
	slices.SortStableFunc(r.Rows, func(a, b row) int { return cmp.Compare(rank(a.Scenario), rank(b.Scenario)) })
	r.Date = time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := r.write("latest.json", append(text, '\n')); err != nil {
		return err
	}
	if err := r.write("latest.md", []byte(r.page())); err != nil {
		return err
	}
	if err := r.splice(); err != nil {
		return err
	}
	return r.pictures()
}

// The lines of a page between which the tables go.
const (
	spliceBegin = "<!-- bench -->\n"
	spliceEnd   = "<!-- /bench -->\n"
)

// splice puts the tables into the page that is to hold them.
func (r *results) splice() error {
	if r.into == "" {
		return nil
	}
	text, err := os.ReadFile(r.into)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), spliceBegin)
	_, after, ended := strings.Cut(rest, spliceEnd)
	if !begun || !ended {
		return fmt.Errorf("%s has no lines %s and %s", r.into, strings.TrimSpace(spliceBegin), strings.TrimSpace(spliceEnd))
	}
	return os.WriteFile(r.into, []byte(before+spliceBegin+r.page()+spliceEnd+after), 0o644)
}

// write replaces a file in one step: whoever ends us in between leaves the old one.
func (r *results) write(name string, text []byte) error {
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// order is that of the table, by the beginnings of scenarios' names.
var order = []string{
	"version", "template", "install 200 ", "upgrade, unchanged 200 ", "upgrade, changed 200 ", "rollback 200 ", "uninstall 200 ",
	"install 1000 ", "upgrade, unchanged 1000 ", "upgrade, changed 1000 ", "rollback 1000 ", "uninstall 1000 ",
	"install 40 ", "upgrade, unchanged 40 ", "upgrade, changed 40 ", "rollback 40 ", "uninstall 40 ",
	"hook to hook, 5 ", "hook to hook, 20 ", "10 tests", "list, ", "history", "status", "readiness",
	"install 5000 ", "upgrade, unchanged 5000 ", "uninstall 5000 ",
}

func rank(scenario string) int {
	for i, p := range order {
		if len(scenario) >= len(p) && scenario[:len(p)] == p {
			return i
		}
	}
	return len(order)
}
