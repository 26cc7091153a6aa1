package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var secretResource = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// secretsAPI serves the Secrets of a store in memory, for commands that read
// records and ledgers; anything else is not there.
func secretsAPI(t *testing.T, objects *store.Memory) Env {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(code int, value any) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(value)
		}
		_, name, ok := strings.Cut(r.URL.Path, "/api/v1/namespaces/default/secrets")
		switch {
		case !ok:
			missing := apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, r.URL.Path)
			answer(http.StatusNotFound, missing.ErrStatus)
		case name == "":
			found, err := objects.List(r.Context(), secretResource, "default", r.URL.Query().Get("labelSelector"))
			if err != nil {
				t.Error(err)
			}
			items := []any{}
			for _, obj := range found {
				items = append(items, obj.Object)
			}
			answer(http.StatusOK, map[string]any{"apiVersion": "v1", "kind": "SecretList", "metadata": map[string]any{}, "items": items})
		default:
			obj, err := objects.Get(r.Context(), secretResource, "default", strings.TrimPrefix(name, "/"))
			if err != nil {
				answer(http.StatusNotFound, apierrors.NewNotFound(secretResource.GroupResource(), name).ErrStatus)
				return
			}
			answer(http.StatusOK, obj.Object)
		}
	}))
	t.Cleanup(server.Close)
	return func(name string) (string, bool) {
		value, ok := map[string]string{"HELM_KUBEAPISERVER": server.URL}[name]
		return value, ok
	}
}

// shop keeps a release with a migration that ran twice and a test that passed,
// both remembered.
func shop(t *testing.T) (*store.Memory, *ledger.Book) {
	t.Helper()
	ctx, objects := context.Background(), store.NewMemory()
	now := time.Now()
	records := store.NewSecrets(objects, "default", time.Now)
	manifest := func(kind, api, name string) string {
		return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: default}\n"
	}
	r := &release.Release{Name: "web", Namespace: "default", Revision: 1, Hooks: []*release.Hook{
		{Name: "migrate", Kind: "Job", Path: "t.yaml", Manifest: manifest("Job", "batch/v1", "migrate"), Events: []release.Event{release.PreInstall}},
		{Name: "check", Kind: "Pod", Path: "t.yaml", Manifest: manifest("Pod", "v1", "check"), Events: []release.Event{release.Test}},
	}}
	r.SetStatus(release.Deployed, "Install complete")
	if err := records.Create(ctx, r); err != nil {
		t.Fatal(err)
	}
	run := func(e release.Event, kind, group, name string, attempt int, phase release.Phase, line string) ledger.Run {
		log := ledger.Log{Limits: ledger.DefaultLimits()}
		log.Add(ledger.Line{Time: now, Text: line})
		return ledger.Run{
			Release: "web", Namespace: "default", Revision: 1, Operation: ledger.Operation{ID: string(e), Name: "install", Started: now},
			Event: e, Hook: name, Attempt: attempt, Phase: phase, Started: now.Add(-time.Minute), Ended: now.Add(-time.Minute), UID: name,
			Object: object.Ref{Group: group, Version: "v1", Kind: kind, Namespace: "default", Name: name},
			Pods:   []ledger.Pod{{Name: name, Containers: []ledger.Container{{Name: "main", Log: log}}}},
		}
	}
	book := ledger.NewBook(objects, records, "default", time.Now, ledger.DefaultBounds())
	if err := book.Append(ctx, []ledger.Run{
		run(release.PreInstall, "Job", "batch", "migrate", 1, release.PhaseFailed, "first try"),
		run(release.PreInstall, "Job", "batch", "migrate", 2, release.PhaseSucceeded, "second try"),
		run(release.Test, "Pod", "", "check", 1, release.PhaseSucceeded, "all is well"),
	}); err != nil {
		t.Fatal(err)
	}
	return objects, book
}

func TestWhatHooksDid(t *testing.T) {
	objects, book := shop(t)
	env := secretsAPI(t, objects)
	for _, tt := range []struct {
		args        string
		code        int
		out, stderr string
	}{
		{"hooks logs web migrate", exitDone, "second try\n", ""},
		{"hooks logs web job/migrate --attempt 1", exitDone, "first try\n", ""},
		{"hooks logs web migrate --attempt 3", exitFailed, "", "has left no run"},
		{"hooks logs web", exitDone, "[check/main] all is well\n", ""},
		{"hooks logs web nosuch", exitFailed, "", "there are check, migrate"},
		{"hooks logs web --attempt -1", exitUsage, "", "--attempt"},
		{"hooks logs other", exitFailed, "", "no release other"},
		{"hooks list web", exitDone, "Job/migrate", ""},
		{"hooks list web -o json", exitDone, `"attempt":2`, ""},
		{"hooks list web --revision -1", exitUsage, "", "--revision"},
		{"hooks describe web migrate", exitDone, "attempt 2 of install", ""},
		{"hooks nosuch", exitUsage, "", "no command"},
		{"test history web", exitDone, "check", ""},
		{"test history web --max -1", exitUsage, "", "--max"},
		{"test web --require-last-pass", exitDone, "has passed all its tests", ""},
		{"test web --require-last-pass --max-age 10s", exitTest, "", "which is longer than 10s"},
		{"test web --max-age 10s", exitUsage, "", "only with --require-last-pass"},
		{"test web --require-last-pass --only-failed", exitUsage, "", "runs no tests"},
		{"status web --tests-passed", exitDone, "has passed all its tests", ""},
		{"status web --max-age 1h", exitUsage, "", "only with --tests-passed"},
		{"status other --tests-passed", exitFailed, "", "no release other"},
		{"test web --only-failed", exitDone, "No test of revision 1", ""},
		{"upgrade web . --unmask", exitUsage, "", "only on a terminal"},
		{"upgrade web . --ledger-log-limit 8Gi", exitUsage, "", "at most 4Mi"},
		{"upgrade web . --ledger-keep -1s", exitUsage, "", "--ledger-keep"},
	} {
		got := runIn(t, env, strings.Fields(tt.args)...)
		if got.code != tt.code || !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.stderr) {
			t.Errorf("%s: exit code %d\n%s\n%s", tt.args, got.code, got.out, got.err)
		}
	}

	// The record goes, the ledger stays.
	ctx := context.Background()
	if err := book.Detach(ctx, "web", 1); err != nil {
		t.Fatal(err)
	}
	if err := objects.Delete(ctx, secretResource, "default", "sh.helm.release.v1.web.v1"); err != nil {
		t.Fatal(err)
	}
	got := runIn(t, env, "hooks", "logs", "web", "migrate")
	if got.code != exitDone || got.out != "second try\n" || !strings.Contains(got.err, "release web is gone") {
		t.Errorf("of a release that is gone: %+v", got)
	}
	if got := runIn(t, env, "test", "web", "--require-last-pass"); got.code != exitFailed {
		t.Errorf("a release that is gone has passed: %+v", got)
	}
}
