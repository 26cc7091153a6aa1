// Package storetest is the contract of store.Records as tests: every store
// runs them all. Only tests use it.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
)

// Open gives a store for a namespace. All that one Open gives share what is
// stored, as processes on one cluster do; each is a process of its own.
type Open func(namespace string) store.Records

// Run runs the contract. Each test asks for an empty backend of its own.
func Run(t *testing.T, backend func(t *testing.T) Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"create and get":             createAndGet,
		"create what exists":         createExisting,
		"get what is missing":        getMissing,
		"update":                     update,
		"update what is missing":     updateMissing,
		"update of a changed record": updateConflict,
		"delete":                     deleteTwice,
		"history":                    history,
		"list":                       list,
		"namespaces are apart":       namespaces,
		"outlines":                   outlines,
		"outlines are not stored":    outlinesAreNotStored,
		"one creator wins":           oneCreatorWins,
		"cancelled":                  cancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, backend(t)) })
	}
}

// Release builds a revision with something in every field.
func Release(name string, revision int, status release.Status) *release.Release {
	at := time.Date(2026, 3, 4, 5, 6, revision, 7000, time.UTC)
	return &release.Release{
		Name: name, Namespace: "prod", Revision: revision,
		Info:     release.Info{FirstDeployed: at, LastDeployed: at, Status: status, Description: "Revision " + fmt.Sprint(revision), Notes: "thanks"},
		Chart:    json.RawMessage(`{"metadata":{"name":"web","version":"1.2.3","appVersion":"4"},"templates":[]}`),
		Config:   map[string]any{"a": "b", "n": 1.5},
		Manifest: "---\n# Source: web/templates/cm.yaml\nkind: ConfigMap\n",
		Hooks: []*release.Hook{{
			Name: "h", Kind: "Job", Path: "web/templates/h.yaml", Manifest: "kind: Job\n", Weight: -5,
			Events: []release.Event{release.PreInstall}, DeletePolicies: []release.DeletePolicy{release.HookSucceeded},
			LastRun: release.Execution{StartedAt: at, CompletedAt: at, Phase: release.PhaseSucceeded},
		}},
		ApplyMethod: release.ServerSide,
		Labels:      map[string]string{"team": "blue"},
	}
}

// text is all of a record that is stored.
func text(t *testing.T, r *release.Release) string {
	t.Helper()
	if r == nil {
		t.Fatal("there is no record")
	}
	encoded, err := release.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded) + fmt.Sprint(r.Labels)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants fails unless the error is the wanted one, about that revision, in a sentence.
func wants(t *testing.T, err, want error, says string) {
	t.Helper()
	var re *store.RecordError
	if !errors.Is(err, want) || !errors.As(err, &re) || !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want %v that says %q", err, want, says)
	}
}

func createAndGet(t *testing.T, open Open) {
	want := Release("shop", 1, release.PendingInstall)
	must(t, open("prod").Create(t.Context(), want))
	got, err := open("prod").Get(t.Context(), "shop", 1)
	must(t, err)
	if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
		t.Errorf("record (-stored +read):\n%s", diff)
	}
	if got.IsOutline() || got.Manifest != want.Manifest {
		t.Error("the record is not whole")
	}
}

func createExisting(t *testing.T, open Open) {
	records := open("prod")
	first := Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), first))
	wants(t, records.Create(t.Context(), Release("shop", 1, release.Deployed)), release.ErrExists, "revision 1 of release shop")
	wants(t, open("prod").Create(t.Context(), Release("shop", 1, release.Deployed)), release.ErrExists, "is recorded already")
	got, err := records.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.Info.Status != release.PendingInstall {
		t.Errorf("the refused create has changed the record to %s", got.Info.Status)
	}
}

func getMissing(t *testing.T, open Open) {
	records := open("prod")
	must(t, records.Create(t.Context(), Release("shop", 1, release.Deployed)))
	_, err := records.Get(t.Context(), "shop", 2)
	wants(t, err, release.ErrNotFound, "revision 2 of release shop in namespace prod is not recorded")
	_, err = records.Get(t.Context(), "sho", 1)
	wants(t, err, release.ErrNotFound, "release sho ")
	for _, name := range []string{"sho", "shop2"} {
		entries, err := records.Index(t.Context(), name)
		must(t, err)
		history, err := records.History(t.Context(), name)
		must(t, err)
		if len(entries) != 0 || len(history) != 0 {
			t.Errorf("release %s has %v, %v", name, entries, history)
		}
	}
}

func update(t *testing.T, open Open) {
	records := open("prod")
	r := Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), r))
	for _, status := range []release.Status{release.Deployed, release.Superseded} {
		r = r.Clone()
		r.SetStatus(status, "now "+string(status))
		r.Labels["phase"] = string(status)
		must(t, records.Update(t.Context(), r))
		entries, err := records.Index(t.Context(), "shop")
		must(t, err)
		if len(entries) != 1 || entries[0].Status != status || entries[0].Labels["phase"] != string(status) || entries[0].Labels["team"] != "blue" {
			t.Errorf("the index is %+v", entries)
		}
	}
	got, err := open("prod").Get(t.Context(), "shop", 1)
	must(t, err)
	if diff := cmp.Diff(text(t, r), text(t, got)); diff != "" {
		t.Errorf("record (-stored +read):\n%s", diff)
	}
	r.SetStatus(release.Uninstalled, "by a process that has not read it")
	must(t, open("prod").Update(t.Context(), r))
}

func updateMissing(t *testing.T, open Open) {
	wants(t, open("prod").Update(t.Context(), Release("shop", 3, release.Deployed)), release.ErrNotFound, "revision 3")
}

func updateConflict(t *testing.T, open Open) {
	ours, theirs := open("prod"), open("prod")
	must(t, ours.Create(t.Context(), Release("shop", 1, release.Deployed)))
	r, err := theirs.Get(t.Context(), "shop", 1)
	must(t, err)
	r.SetStatus(release.Superseded, "theirs")
	must(t, theirs.Update(t.Context(), r))

	mine := Release("shop", 1, release.Uninstalling)
	wants(t, ours.Update(t.Context(), mine), release.ErrConflict, "was changed by another run")
	wants(t, ours.Update(t.Context(), mine), release.ErrConflict, "was changed by another run")
	now, err := ours.Get(t.Context(), "shop", 1)
	must(t, err)
	if now.Info.Description != "theirs" {
		t.Errorf("the refused update has changed the record to %q", now.Info.Description)
	}
	must(t, ours.Update(t.Context(), mine)) // it knows the change now
}

func deleteTwice(t *testing.T, open Open) {
	records := open("prod")
	for n := 1; n <= 2; n++ {
		must(t, records.Create(t.Context(), Release("shop", n, release.Deployed)))
	}
	for range 2 {
		must(t, records.Delete(t.Context(), &release.Release{Name: "shop", Revision: 1}))
	}
	_, err := records.Get(t.Context(), "shop", 1)
	wants(t, err, release.ErrNotFound, "revision 1")
	wants(t, records.Update(t.Context(), Release("shop", 1, release.Failed)), release.ErrNotFound, "revision 1")
	if _, err := records.Get(t.Context(), "shop", 2); err != nil {
		t.Errorf("the other revision: %v", err)
	}
	must(t, records.Create(t.Context(), Release("shop", 1, release.PendingInstall)))
}

func history(t *testing.T, open Open) {
	records := open("prod")
	for _, n := range []int{2, 10, 9, 1, 11} {
		must(t, records.Create(t.Context(), Release("shop", n, release.Superseded)))
	}
	must(t, records.Create(t.Context(), Release("shop.v9", 1, release.Deployed)))
	all, err := records.History(t.Context(), "shop")
	must(t, err)
	entries, err := records.Index(t.Context(), "shop")
	must(t, err)
	var decoded, indexed []int
	for _, r := range all {
		decoded = append(decoded, r.Revision)
	}
	for _, e := range entries {
		indexed = append(indexed, e.Revision)
	}
	want := []int{1, 2, 9, 10, 11}
	if diff := cmp.Diff(want, decoded); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, indexed); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
}

// summary is what a list shows, in a line.
func summary(records []*release.Release) []string {
	var lines []string
	for _, r := range records {
		m := r.ChartMetadata()
		lines = append(lines, fmt.Sprintf("%s/%s %d %s %s %s-%s %s %q %s", r.Namespace, r.Name, r.Revision, r.Info.Status,
			r.Info.LastDeployed.UTC().Format(time.RFC3339Nano), m.Name, m.Version, m.AppVersion, r.Info.Description, r.Labels["team"]))
	}
	return lines
}

func list(t *testing.T, open Open) {
	records := open("prod")
	for n := 1; n <= 12; n++ {
		must(t, records.Create(t.Context(), Release("shop", n, release.Superseded)))
	}
	red := Release("api", 1, release.Failed)
	red.Labels["team"] = "red"
	must(t, records.Create(t.Context(), red))
	line := func(name string, n int, status, team string) string {
		return fmt.Sprintf("prod/%s %d %s 2026-03-04T05:06:%02d.000007Z web-1.2.3 4 \"Revision %d\" %s", name, n, status, n, n, team)
	}
	api, shop := line("api", 1, "failed", "red"), line("shop", 12, "superseded", "blue")
	for name, tc := range map[string]struct {
		opts store.ListOptions
		want []string
	}{
		"all":      {store.ListOptions{}, []string{api, shop}},
		"selector": {store.ListOptions{Selector: "team=red"}, []string{api}},
		"kept":     {store.ListOptions{Keep: func(e release.Entry) bool { return e.Status == release.Superseded }}, []string{shop}},
		"nothing":  {store.ListOptions{Selector: "team in (green)"}, nil},
	} {
		got, err := records.List(t.Context(), tc.opts)
		must(t, err)
		if diff := cmp.Diff(tc.want, summary(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func namespaces(t *testing.T, open Open) {
	prod, dev := open("prod"), open("dev")
	must(t, prod.Create(t.Context(), Release("shop", 1, release.Deployed)))
	other := Release("shop", 1, release.Failed)
	other.Namespace = "dev"
	must(t, dev.Create(t.Context(), other))
	got, err := prod.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.Info.Status != release.Deployed {
		t.Errorf("prod has the record of dev")
	}
	own, err := prod.List(t.Context(), store.ListOptions{})
	must(t, err)
	all, err := prod.List(t.Context(), store.ListOptions{AllNamespaces: true})
	must(t, err)
	if len(own) != 1 || len(all) != 2 || all[0].Namespace != "dev" || all[1].Namespace != "prod" {
		t.Errorf("listed %v and %v", summary(own), summary(all))
	}
	must(t, prod.Delete(t.Context(), got))
	if _, err := dev.Get(t.Context(), "shop", 1); err != nil {
		t.Errorf("dev lost its record: %v", err)
	}
}

func outlines(t *testing.T, open Open) {
	records := open("prod")
	for n := 1; n <= 3; n++ {
		must(t, records.Create(t.Context(), Release("shop", n, release.PendingUpgrade)))
		r := Release("shop", n, release.Superseded)
		r.Info.Description = strings.Repeat("long ", n*500) // too long for a hint from some length on
		must(t, records.Update(t.Context(), r))
	}
	whole, err := records.History(t.Context(), "shop")
	must(t, err)
	got, err := records.Outlines(t.Context(), "shop")
	must(t, err)
	if diff := cmp.Diff(summary(whole), summary(got)); diff != "" {
		t.Errorf("outlines differ from records (-records +outlines):\n%s", diff)
	}
}

func outlinesAreNotStored(t *testing.T, open Open) {
	records := open("prod")
	must(t, records.Create(t.Context(), Release("shop", 1, release.Deployed)))
	all, err := records.Outlines(t.Context(), "shop")
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("got %d outlines", len(all))
	}
	if all[0].IsOutline() {
		if err := records.Update(t.Context(), all[0]); err == nil {
			t.Error("an outline was stored in place of its record")
		}
	}
	got, err := records.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.Manifest == "" || len(got.Hooks) == 0 {
		t.Error("the record has lost its content")
	}
}

func oneCreatorWins(t *testing.T, open Open) {
	const runs = 16
	var group sync.WaitGroup
	errs := make([]error, runs)
	for i := range runs {
		records := open("prod")
		r := Release("shop", 1, release.PendingInstall)
		r.Info.Description = fmt.Sprint("run ", i)
		group.Go(func() { errs[i] = records.Create(t.Context(), r) })
	}
	group.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("runs %d and %d have both created the revision", winner, i)
		case err == nil:
			winner = i
		default:
			wants(t, err, release.ErrExists, "another run")
		}
	}
	got, err := open("prod").Get(t.Context(), "shop", 1)
	must(t, err)
	if want := fmt.Sprint("run ", winner); got.Info.Description != want {
		t.Errorf("the record is that of %q, and %q won", got.Info.Description, want)
	}
}

func cancelled(t *testing.T, open Open) {
	records := open("prod")
	must(t, records.Create(t.Context(), Release("shop", 1, release.Deployed)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := records.Create(ctx, Release("shop", 2, release.Deployed)); !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	if _, err := records.List(ctx, store.ListOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
	if _, err := records.Get(t.Context(), "shop", 2); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("the cancelled create: %v", err)
	}
}
