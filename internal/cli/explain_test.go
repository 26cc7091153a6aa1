package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestExplain(t *testing.T) {
	of := func(op plan.Operation, f *lifecycle.Failed) error {
		f.Operation = op
		return f
	}
	unrecorded := failed(errors.New("conflict"))
	unrecorded.RecordErr = errors.New("quota")
	standing := failed(hookFailed(release.PreUpgrade))
	standing.Standing = 4
	tests := []struct {
		name string
		err  error
		want []string
	}{
		{"install", of(plan.Install, failed(hookFailed(release.PreInstall))), []string{
			"install of web failed", "pre-install hook Job/shop/migrate failed",
			"next: repair it and run `pintle upgrade web CHART -n shop`; to remove what is there, `pintle uninstall web -n shop`",
		}},
		{"upgrade", standing, []string{"upgrade of web failed", "to go back to revision 4, `pintle rollback web -n shop`"}},
		{"upgrade of what never worked", failed(hookFailed(release.PreUpgrade)), []string{"no revision is deployed to go back to", "`pintle uninstall web -n shop`"}},
		{"test", of(plan.Test, failed(hookFailed(release.Test))), []string{"test Job/shop/migrate failed", "next: repair it, then `pintle test web -n shop` again"}},
		{"uninstall", of(plan.Uninstall, failed(hookFailed(release.PreDelete))), []string{"`pintle uninstall web -n shop` again"}},
		{"rolled back", rolledBack(hookFailed(release.PreUpgrade), lifecycle.RolledBack), []string{"the release has been rolled back", "`pintle history web -n shop`"}},
		{"removed", of(plan.Install, rolledBack(hookFailed(release.PreInstall), lifecycle.RolledBack)), []string{"the release has been removed again"}},
		{"not rolled back", rolledBack(hookFailed(release.PreUpgrade), lifecycle.RollbackFailed), []string{"the rollback failed too: no"}},
		{"not recorded", unrecorded, []string{"conflict", "the failure could not be recorded: quota"}},
		{"interrupted", stopped(), []string{"upgrade of web was interrupted", "pre-upgrade hook Job/shop/migrate failed"}},
		{"pending", &lifecycle.PendingError{Operation: plan.Upgrade, Name: "web", Revision: 3, Status: release.PendingUpgrade}, []string{
			"upgrade of web refused: revision 3 is pending-upgrade", "`pintle history web -n shop`",
		}},
		{"no release", &lifecycle.NoReleaseError{Name: "web", Namespace: "shop"}, []string{"there is no release web in namespace shop", "`pintle list"}},
		{"forbidden", forbidden(), []string{"no permission to list secrets in namespace shop", "you may not"}},
		{"unreachable", &kube.UnreachableError{Target: kube.Target{Address: "https://far:6443", Context: "prod"}, Err: errors.New("refused")}, []string{
			`no cluster reachable at https://far:6443 (context "prod")`, "refused", "--kube-context",
		}},
		{"several", together(nil, failed(hookFailed(release.PreUpgrade)), errors.New("disk full")), []string{"upgrade of web failed", "disk full"}},
		{"problems", diag.List{{Summary: "one"}, {Summary: "two"}}, []string{"one", "two"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(Streams{}, noCluster)
			a.global.namespace = "shop"
			text := ""
			for _, p := range a.explain(tt.err) {
				text += p.Summary + "\n" + p.Detail + "\n"
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in:\n%s", want, text)
				}
			}
			if strings.Contains(text, "interrupted:") {
				t.Errorf("the mark of an interruption is shown:\n%s", text)
			}
		})
	}
}
