package report_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui/report"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func ref(kind, name string) object.Ref {
	groups := map[string]string{"Job": "batch", "Deployment": "apps"}
	return object.Ref{Group: groups[kind], Version: "v1", Kind: kind, Namespace: "shop", Name: name}
}

// evil is what nobody should find running, and what no document may hold.
const evil = `<script>alert(1)</script>"'&\x1b[31m]]>` + "\x1b[31mred\x1b[0m\x00"

func log(lines ...string) ledger.Log {
	l := ledger.Log{Limits: ledger.DefaultLimits()}
	for i, text := range lines {
		l.Add(ledger.Line{Time: at(float64(i)), Text: text})
	}
	return l
}

func attempt(op ledger.Operation, event release.Event, name string, n int, from, to float64, exit int, lines ...string) ledger.Run {
	r := ledger.Run{
		Release: "storefront", Namespace: "shop", Revision: 7, Operation: op, Event: event, Hook: name, Attempt: n,
		Object: ref("Job", name), Started: at(from), Ended: at(to), Phase: release.PhaseSucceeded,
		Pods: []ledger.Pod{{Name: name + "-x2k9d", Namespace: "shop", UID: "u", Node: "node-3", Containers: []ledger.Container{{
			Name: "main", Image: "registry.example/shop/migrate:2.4.1", ExitCode: exit, Started: at(from + 1.2), Ended: at(to), Log: log(lines...),
		}}}},
		Events: []ledger.ObjectEvent{
			{Time: at(from + .1), Object: ref("Job", name), Type: "Normal", Reason: "SuccessfulCreate", Message: "Created pod: " + name + "-x2k9d"},
			{Time: at(from + .3), Object: ref("Pod", name+"-x2k9d"), Type: "Normal", Reason: "Scheduled", Message: "Successfully assigned shop/" + name + "-x2k9d to node-3"},
		},
	}
	if exit != 0 {
		r.Phase, r.Reason, r.Message = release.PhaseFailed, "BackoffLimitExceeded", "it failed once"
	}
	return r
}

func step(block, words string, from, to float64, outcome ledger.Outcome, note string, objects ...object.Ref) ledger.Step {
	s := ledger.Step{ID: block + "/" + words, Block: block, Words: words, Objects: objects, Outcome: outcome, Note: note}
	if from >= 0 {
		s.Started, s.Ended = at(from), at(to)
	}
	return s
}

// failedUpgrade is the story of an upgrade that is stopped by an image that
// cannot be pulled, and of a run of tests before it.
func failedUpgrade() report.Input {
	up := ledger.Operation{ID: "up", Name: "upgrade", Started: noon, By: "ann@build-7"}
	done, failed, skipped := ledger.OutcomeDone, ledger.OutcomeFailed, ledger.OutcomeSkipped
	web, cart := ref("Deployment", "storefront-web"), ref("Deployment", "storefront-cart")
	steps := []ledger.Step{
		{ID: "record/pending-upgrade", Block: "prepare", Words: "record revision 7 as pending-upgrade", Outcome: done, Started: at(0), Ended: at(.02)},
		step("pre-upgrade", "run Job/shop/storefront-backup", .05, 6.4, done, "", ref("Job", "storefront-backup")),
		step("pre-upgrade", "run Job/shop/storefront-migrate", 6.4, 24.8, done, "", ref("Job", "storefront-migrate")),
		{
			ID: "clean/pre-upgrade/Job/shop/storefront-backup", Block: "pre-upgrade", Objects: []object.Ref{ref("Job", "storefront-backup")},
			Outcome: done, Note: "deleted", Started: at(24.8), Ended: at(25.4),
		},
	}
	for i := range 9 {
		steps = append(steps, step("apply", fmt.Sprint("update ConfigMap/shop/settings-", i), 25.4, 25.5, done, "configured", ref("ConfigMap", fmt.Sprint("settings-", i))))
	}
	steps = append(
		steps,
		step("apply", "update Deployment/shop/storefront-web", 25.5, 25.6, done, "configured", web),
		step("apply", "update Deployment/shop/storefront-cart", 25.5, 25.62, done, "configured", cart),
		step("apply", "unchanged Service/shop/storefront", 25.5, 25.5, ledger.OutcomeUnchanged, "", ref("Service", "storefront")),
		waitStep(web, cart),
		step("post-upgrade", "run Job/shop/storefront-notify", -1, 0, skipped, "", ref("Job", "storefront-notify")),
		ledger.Step{ID: "record/deployed", Block: "record", Words: "record revision 7 as deployed", Outcome: skipped},
	)
	test := ledger.Operation{ID: "test", Name: "test", Started: at(7200), By: "ci@runner-12"}
	smoke := attempt(test, release.Test, "storefront-smoke", 1, 7200.1, 7203, 1, "GET / -> 503 "+evil)
	smoke.Object = ref("Job", "storefront-smoke")
	again := attempt(test, release.Test, "storefront-smoke", 2, 7204, 7206, 0, "GET / -> 200")
	smoke.Suite, again.Suite = "connectivity", "connectivity"
	return report.Input{
		Release: "storefront", Namespace: "shop", Revision: 7,
		Record: &release.Release{
			Name: "storefront", Namespace: "shop", Revision: 7,
			Chart: json.RawMessage(`{"metadata":{"name":"storefront","version":"2.4.1","appVersion":"2026.3"}}`),
			Info:  release.Info{Status: release.Failed, LastDeployed: noon, Description: `Upgrade "storefront" failed: not ready: Deployment/storefront-cart`},
		},
		Story: ledger.Story{
			Courses: []ledger.Course{
				{Release: "storefront", Namespace: "shop", Revision: 7, Operation: up, Ended: at(91), Outcome: failed, Steps: steps},
				{Release: "storefront", Namespace: "shop", Revision: 7, Operation: test, Ended: at(7206.3), Outcome: done, Steps: []ledger.Step{
					step("test", "run Job/shop/storefront-smoke", 7200.1, 7206, done, "", ref("Job", "storefront-smoke")),
				}},
			},
			Runs: []ledger.Run{
				attempt(up, release.PreUpgrade, "storefront-backup", 1, .05, 6.4, 0, "dumping 14 tables", "wrote 18.2 MiB to s3://backups/shop"),
				attempt(up, release.PreUpgrade, "storefront-migrate", 1, 6.4, 14.9, 3, "applying 017_orders.sql", `ERROR: lock timeout on relation "orders"`),
				attempt(up, release.PreUpgrade, "storefront-migrate", 2, 16.1, 24.8, 0, "applying 017_orders.sql", "applying 018_tax.sql", "2 migrations applied"),
				smoke, again,
			},
		},
	}
}

func waitStep(web, cart object.Ref) ledger.Step {
	s := step("wait", "wait until ready", 25.7, 91, ledger.OutcomeFailed, "", web, cart)
	s.Error = "not ready: Deployment/shop/storefront-cart"
	seen := func(seconds float64, r object.Ref, state, reason, message string) {
		s.Observed = append(s.Observed, ledger.Observation{Time: at(seconds), Object: r, State: state, Reason: reason, Message: message})
	}
	seen(25.7, web, "in progress", "RollingOut", "0 of 3 updated replicas are ready")
	seen(25.7, cart, "in progress", "RollingOut", "0 of 2 updated replicas are ready")
	seen(30.1, web, "in progress", "RollingOut", "2 of 3 updated replicas are ready")
	seen(29, cart, "in progress", "ErrImagePull", "image shop/cart:2.4.1 cannot be pulled: not found")
	seen(38.5, web, "ready", "", "")
	s.Causes = []ledger.Cause{{Subject: "Deployment/shop/storefront-cart", Message: "0 of 2 updated replicas are ready", Children: []ledger.Cause{{
		Subject: "Pod/shop/storefront-cart-6d4-zx8", Children: []ledger.Cause{{
			Subject: "container cart", Reason: "ImagePullBackOff", Message: "image shop/cart:2.4.1 cannot be pulled: not found",
			Advice: "check the name and the tag, and that it was pushed",
		}},
	}}}}
	return s
}
