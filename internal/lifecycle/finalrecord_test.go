package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// failingRecords refuses writes of a status.
type failingRecords struct {
	lifecycle.Records
	refuse func(release.Status) error
}

func (f *failingRecords) Update(ctx context.Context, r *release.Release) error {
	if err := f.refuse(r.Info.Status); err != nil {
		return err
	}
	return f.Records.Update(ctx, r)
}

func TestFinalRecordIsTriedAgain(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		left := 2
		w.service.Records = &failingRecords{w.records, func(s release.Status) error {
			if left--; left >= 0 {
				return errWebhook
			}
			return nil
		}}
		w.installed(t, dir)
		w.expectHistory(t, "1 deployed: Install complete")
	})
}

func TestRecordThatCannotBeWrittenIsLoudAndTheNextRunRecovers(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "1")})
	synctest.Test(t, func(t *testing.T) {
		w, leases := lockedWorld()
		w.installed(t, dir)
		w.service.Records = &failingRecords{w.records, func(s release.Status) error {
			if s.Final() {
				return errWebhook
			}
			return nil
		}}
		_, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		var failed *lifecycle.Failed
		if !errors.As(err, &failed) || failed.RecordErr == nil || failed.Rollback != lifecycle.NoRollback || !strings.Contains(err.Error(), "could not be recorded") {
			t.Fatalf("the error is %v", err)
		}
		left := leases.Peek("pintle.web")
		if left == nil || left.GetAnnotations()["pintle.dev/unrecorded"] != "2" || !strings.Contains(left.GetAnnotations()["pintle.dev/abandoned"], "quota.example.com") {
			t.Fatalf("the lock is %v", left)
		}
		if owners := left.GetOwnerReferences(); len(owners) != 1 || owners[0].Name != "sh.helm.release.v1.web.v2" {
			t.Errorf("the lock would go with %v", owners)
		}
		w.service.Records = w.records
		start := time.Now()
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		got := w.history(t)
		if len(got) != 3 || !strings.HasPrefix(got[1], "2 failed: ") || !strings.Contains(got[1], "quota.example.com") || got[2] != "3 deployed: Upgrade complete" {
			t.Errorf("history: %q", got)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("the recovery took %s", took)
		}
	})
}

func TestEarlierRecordsDoNotUndoASuccess(t *testing.T) {
	dir := writeChart(t, map[string]string{"a.yaml": configMap("a", "{{ .Release.Revision }}")})
	synctest.Test(t, func(t *testing.T) {
		w, _ := lockedWorld()
		w.installed(t, dir)
		w.service.Records = &failingRecords{w.records, func(s release.Status) error {
			if s == release.Superseded {
				return errWebhook
			}
			return nil
		}}
		_, err := w.deploy(t, plan.Upgrade, dir, func(o *lifecycle.DeployOptions) { o.RollbackOnFailure = true })
		if err == nil || !strings.Contains(err.Error(), "revision 2 is deployed, but the history could not be brought up to date") {
			t.Errorf("the error is %v", err)
		}
		if w.live("a")["k"] != "2" {
			t.Errorf("a is %v", w.live("a"))
		}
		w.service.Records = w.records
		if _, err := w.deploy(t, plan.Upgrade, dir, nil); err != nil {
			t.Fatal(err)
		}
		w.expectHistory(t, "1 superseded: Install complete", "2 superseded: Upgrade complete", "3 deployed: Upgrade complete")
	})
}
