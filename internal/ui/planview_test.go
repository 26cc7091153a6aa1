package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPlanText(t *testing.T) {
	always := hookStep(release.PreUpgrade, ref("Job", "revoke"))
	always.Always = true
	account := hookStep(release.PreUpgrade, ref("ServiceAccount", "hooks"))
	run := account.Action.(plan.RunHook)
	run.Replace, run.InPlace, run.Retries, run.Timeout = false, true, 2, 0
	account.Action = run
	steps := []plan.Step{
		{ID: "namespace/shop", Block: plan.BlockPrepare, Reason: "asked for with --create-namespace", Action: plan.CreateNamespace{Name: "shop"}},
		recordStep(release.PendingUpgrade), account, hookStep(release.PreUpgrade, migrate), always, cleanStep(release.PreUpgrade, migrate),
		applyStep(ref("ConfigMap", "a")), applyStep(ref("ConfigMap", "b")),
		{ID: "apply/x", Block: plan.BlockApply, Action: plan.Apply{Object: thing(web), Change: plan.Unchanged}},
		{ID: "apply/y", Block: plan.BlockApply, Action: plan.Apply{Object: thing(ref("Service", "web")), Change: plan.Update, Force: true}},
		{ID: "prune/Secret", Block: plan.BlockPrune, Reason: "no longer in the chart", Action: plan.Delete{Ref: ref("Secret", "old"), Propagation: metav1.DeletePropagationBackground, Await: true, Timeout: time.Minute}},
		{ID: "prune/PVC", Block: plan.BlockPrune, Action: plan.Keep{Ref: ref("PersistentVolumeClaim", "data"), Why: "helm.sh/resource-policy: keep"}},
		waitStep(web, ref("Service", "web")), hookStep(release.Test, test), recordStep(release.Deployed),
		{ID: "record/forget/1", Block: plan.BlockRecord, Action: plan.DeleteRecord{Release: &release.Release{Revision: 1}}},
	}
	for i := range steps {
		steps[i].Stage = i
	}
	steps[7].Stage = 6
	p := &plan.Plan{Operation: plan.Upgrade, Release: "storefront", Namespace: "shop", Revision: 2, Steps: steps}
	golden(t, "plan", shown(t, func(w *strings.Builder) error { return WritePlan(w, p, PlanOptions{}) })+"\n"+
		shown(t, func(w *strings.Builder) error { return WritePlan(w, p, PlanOptions{Reasons: true}) })+"\n"+
		shown(t, func(w *strings.Builder) error {
			return WritePlan(w, &plan.Plan{Operation: plan.Test, Release: "a", Namespace: "b", Revision: 1}, PlanOptions{})
		}))
}
