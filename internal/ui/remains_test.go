package ui

import (
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
)

func TestStepThatKeepsWhatADeadRunDid(t *testing.T) {
	n := &narrator{plan: &plan.Plan{Namespace: "shop"}}
	remains := []plan.Remains{{Revision: 2, Object: thing(migrate)}}
	for want, a := range map[string]plan.Await{
		"keep in the ledger what was done by Job/" + migrate.Name: {Goal: plan.UntilEnded, Timeout: time.Minute, Remains: remains},
		"wait until ended within 1m0s: Job/" + migrate.Name + "; keep in the ledger what was done by Job/" + migrate.Name: {
			Goal: plan.UntilEnded, Timeout: time.Minute, Objects: []object.Ref{migrate}, Remains: remains,
		},
	} {
		if got := awaitText(n, a); got != want {
			t.Errorf("it reads %q, want %q", got, want)
		}
		if got := a.Subjects(); len(got) != 1 {
			t.Errorf("its subjects are %v", got)
		}
	}
}
