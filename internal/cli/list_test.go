package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
)

func TestListSelection(t *testing.T) {
	entries := []release.Entry{
		{Name: "api", Status: release.Deployed, Labels: map[string]string{"team": "red"}},
		{Name: "web", Status: release.Failed, Labels: map[string]string{"team": "blue"}},
		{Name: "old", Status: release.Uninstalled},
		{Name: "new", Status: release.PendingInstall},
	}
	tests := []struct {
		name  string
		flags listFlags
		want  string
	}{
		{"all", listFlags{}, "api web old new"},
		{"deployed", listFlags{deployed: true}, "api"},
		{"failed or pending", listFlags{failedOnes: true, pending: true}, "web new"},
		{"by name", listFlags{filter: "^(a|o)"}, "api old"},
		{"by label", listFlags{selector: "team in (blue)"}, "web"},
		{"by both", listFlags{selector: "team", filter: "i"}, "api"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pick, err := tt.flags.selection()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				if pick(e) {
					got = append(got, e.Name)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestListOrderAndPages(t *testing.T) {
	at := func(name string, minute int) *release.Release {
		return &release.Release{Name: name, Info: release.Info{LastDeployed: time.Date(2025, 6, 11, 14, minute, 0, 0, time.UTC)}}
	}
	found := []*release.Release{at("b", 1), at("c", 0), at("a", 2)}
	tests := []struct {
		name  string
		flags listFlags
		want  string
	}{
		{"by name", listFlags{}, "a b c"},
		{"reversed", listFlags{reverse: true}, "c b a"},
		{"by date, oldest first as in Helm", listFlags{byDate: true}, "c b a"},
		{"by date reversed", listFlags{byDate: true, reverse: true}, "a b c"},
		{"limit", listFlags{limit: 2}, "a b"},
		{"offset", listFlags{limit: 1, offset: 1}, "b"},
		{"beyond", listFlags{offset: 7}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range tt.flags.page(tt.flags.sorted(found)) {
				got = append(got, r.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}
