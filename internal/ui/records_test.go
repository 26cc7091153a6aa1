package ui

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/release"
)

// record is a release with what every view of records shows.
func record(name string, revision int, status release.Status) *release.Release {
	return &release.Release{
		Name: name, Namespace: "shop", Revision: revision, ApplyMethod: release.ServerSide,
		Info: release.Info{
			LastDeployed: start, FirstDeployed: start, Status: status, Description: "Install complete", Notes: "Enjoy.\n",
		},
		Chart:    json.RawMessage(`{"metadata":{"name":"storefront","version":"1.2.3","appVersion":"4.5"},"templates":[]}`),
		Config:   map[string]any{"replicas": 2},
		Manifest: "---\n# Source: storefront/templates/cm.yaml\nkind: ConfigMap\n",
		Hooks: []*release.Hook{
			{Name: "migrate", Kind: "Job", Path: "storefront/templates/migrate.yaml", Manifest: "kind: Job", Events: []release.Event{release.PreInstall}},
			{Name: "test-db", Kind: "Pod", Path: "storefront/templates/test.yaml", Manifest: "kind: Pod", Events: []release.Event{release.Test},
				LastRun: release.Execution{StartedAt: start, CompletedAt: start.Add(3 * time.Second), Phase: release.PhaseFailed}},
			{Name: "test-web", Kind: "Pod", Path: "storefront/templates/test.yaml", Manifest: "kind: Pod", Events: []release.Event{release.Test}},
		},
	}
}

// shown collects what a writer function writes.
func shown(t *testing.T, write func(w *strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestList(t *testing.T) {
	rows := []ListRow{
		ListRowOf(record("a", 1, release.Deployed), ""),
		ListRowOf(record("storefront", 12, release.PendingUpgrade), time.RFC3339),
		ListRowOf(&release.Release{Name: "old", Namespace: "shop", Revision: 1, Info: release.Info{Status: release.Failed}}, ""),
	}
	var all strings.Builder
	for _, opts := range []ListOptions{
		{Format: Table}, {Format: Table, NoHeaders: true}, {Format: Table, Short: true}, {Format: Table, Color: true},
		{Format: JSON}, {Format: JSON, Short: true}, {Format: YAML},
	} {
		all.WriteString(shown(t, func(w *strings.Builder) error { return WriteList(w, rows, opts) }) + "\n")
	}
	for _, f := range []Format{Table, JSON, YAML} {
		all.WriteString("none: " + shown(t, func(w *strings.Builder) error { return WriteList(w, nil, ListOptions{Format: f}) }))
	}
	golden(t, "list", all.String())
}

// TestListIsHelms compares with what Helm 4.3.1 prints for the same releases.
func TestListIsHelms(t *testing.T) {
	row := ListRow{Name: "iguana", Namespace: "default", Revision: "2", Updated: "2016-01-16 00:00:04 +0000 UTC", Status: "deployed", Chart: "chickadee-1.0.0", AppVersion: "0.0.1"}
	got := shown(t, func(w *strings.Builder) error { return WriteList(w, []ListRow{row}, ListOptions{Format: Table}) })
	want := "NAME  \tNAMESPACE\tREVISION\tUPDATED                      \tSTATUS  \tCHART          \tAPP VERSION\n" +
		"iguana\tdefault  \t2       \t2016-01-16 00:00:04 +0000 UTC\tdeployed\tchickadee-1.0.0\t0.0.1      \n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestHistory(t *testing.T) {
	back := record("a", 3, release.Deployed)
	back.Info.RollbackRevision, back.Info.Description = 1, "Rollback to 1"
	rows := []HistoryRow{HistoryRowOf(record("a", 1, release.Superseded)), HistoryRowOf(record("a", 2, release.Failed)), HistoryRowOf(back)}
	rows[1].Description = "Upgrade failed:\nno room"
	var all strings.Builder
	for _, opts := range []HistoryOptions{{Format: Table}, {Format: Table, ShowRollback: true}, {Format: JSON}, {Format: YAML}} {
		all.WriteString(shown(t, func(w *strings.Builder) error { return WriteHistory(w, rows, opts) }) + "\n")
	}
	golden(t, "history", all.String())
}

func TestStatus(t *testing.T) {
	runs := []ledger.Run{
		{Hook: "test-db", Object: ref("Pod", "test-db"), Event: release.Test, Attempt: 1, Phase: release.PhaseFailed},
		{Hook: "test-db", Object: ref("Pod", "test-db"), Event: release.Test, Attempt: 2, Phase: release.PhaseFailed, Started: start, Ended: start.Add(1500 * time.Millisecond),
			Reason: "Error", Message: "container main ended with exit code 1"},
	}
	resources := []Resources{{Title: "v1/Service", Rows: [][]string{{"NAME", "TYPE"}, {"storefront-web", "ClusterIP"}}}}
	for name, opts := range map[string]StatusOptions{
		"status":      {Format: Table},
		"status-full": {Format: Table, Resources: resources, Runs: runs},
		"status-all":  {Format: Table, Chart: true, Sources: true, Computed: map[string]any{"replicas": 2, "image": "x"}},
		"status-dry":  {Format: Table, DryRun: true, HideNotes: true},
		"status-json": {Format: JSON},
		"status-yaml": {Format: YAML},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, shown(t, func(w *strings.Builder) error { return WriteStatus(w, record("storefront", 3, release.Deployed), opts) }))
		})
	}
}

func TestStatusWithoutTests(t *testing.T) {
	r := record("storefront", 1, release.Deployed)
	r.Hooks, r.Info.LastDeployed, r.Info.Notes = nil, time.Time{}, ""
	got := shown(t, func(w *strings.Builder) error { return WriteStatus(w, r, StatusOptions{Format: Table}) })
	want := "NAME: storefront\nNAMESPACE: shop\nSTATUS: deployed\nREVISION: 1\nDESCRIPTION: Install complete\nTEST SUITE: None\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestGet(t *testing.T) {
	r := record("storefront", 3, release.Deployed)
	var all strings.Builder
	add := func(write func(w *strings.Builder) error) { all.WriteString(shown(t, write) + "=====\n") }
	add(func(w *strings.Builder) error { return WriteHooks(w, r) })
	add(func(w *strings.Builder) error { return WriteManifest(w, r) })
	add(func(w *strings.Builder) error { return WriteNotes(w, r) })
	for _, f := range []Format{Table, JSON, YAML} {
		add(func(w *strings.Builder) error { return WriteValues(w, r.Config, ValuesOptions{Format: f}) })
	}
	add(func(w *strings.Builder) error {
		return WriteValues(w, nil, ValuesOptions{Format: Table, Computed: true})
	})
	golden(t, "get", all.String())
}

func TestMetadata(t *testing.T) {
	r := record("storefront", 3, release.Deployed)
	r.Labels = map[string]string{"team": "shop"}
	r.Chart = json.RawMessage(`{"metadata":{"name":"storefront","version":"1.2.3","annotations":{"b":"2","a":"1"},
		"dependencies":[{"name":"z","version":"1","repository":""},{"name":"a","version":"2","repository":"https://x","enabled":true}]}}`)
	var all strings.Builder
	for _, f := range []Format{Table, JSON, YAML} {
		all.WriteString(shown(t, func(w *strings.Builder) error { return WriteMetadata(w, r, f) }) + "\n")
	}
	golden(t, "metadata", all.String())
}

func TestFormats(t *testing.T) {
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), `invalid format type "xml"`) {
		t.Errorf("got %v", err)
	}
	for _, name := range Formats() {
		if f, err := ParseFormat(name); err != nil || string(f) != name {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
}

func TestProblems(t *testing.T) {
	problems := diag.List{
		{Summary: `unknown hook event "pre-instal"`, Detail: `did you mean "pre-install"?`, File: "storefront/templates/job.yaml", Line: 12, Rendered: true},
		{Severity: diag.Warning, Summary: "the chart is deprecated"},
		{Summary: "bad \x1b[31mvalue\x1b[0m"},
	}
	var b strings.Builder
	WriteProblems(&b, problems, false)
	want := "error: storefront/templates/job.yaml:12 (rendered): unknown hook event \"pre-instal\"\n" +
		"  did you mean \"pre-install\"?\n" +
		"warning: the chart is deprecated\n" +
		"error: bad value\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}
