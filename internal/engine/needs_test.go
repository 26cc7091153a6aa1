package engine_test

import (
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestNeeds(t *testing.T) {
	of := func(apiVersion, kind, name string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{}
		u.SetAPIVersion(apiVersion)
		u.SetKind(kind)
		u.SetNamespace("shop")
		u.SetName(name)
		return u
	}
	deployment, settings := of("apps/v1", "Deployment", "web"), of("v1", "ConfigMap", "settings")
	tests := []struct {
		name   string
		action plan.Action
		want   string
	}{
		{"namespace", plan.CreateNamespace{Name: "shop"}, "create Namespace/shop"},
		{"new object", plan.Apply{Object: deployment, Change: plan.Create}, "patch Deployment/shop/web; create Deployment/shop/web"},
		{"changed object", plan.Apply{Object: deployment, Change: plan.Update}, "patch Deployment/shop/web"},
		{"unchanged object", plan.Apply{Object: deployment, Change: plan.Unchanged}, ""},
		{"deletion", plan.Delete{Ref: object.RefOf(settings)}, "delete ConfigMap/shop/settings"},
		{"awaited deletion", plan.Delete{Ref: object.RefOf(settings), Await: true}, "delete ConfigMap/shop/settings; get ConfigMap/shop/settings"},
		{"wait, but not for what is ready at once", plan.Await{Objects: []object.Ref{object.RefOf(deployment), object.RefOf(settings)}},
			"list Deployment in namespace shop; watch Deployment in namespace shop"},
		{"Job", plan.RunHook{Object: of("batch/v1", "Job", "m")},
			"create Job/shop/m; list Job in namespace shop; watch Job in namespace shop; list Pod in namespace shop; watch Pod in namespace shop"},
		{"Pod", plan.RunHook{Object: of("v1", "Pod", "p")}, "create Pod/shop/p; list Pod in namespace shop; watch Pod in namespace shop"},
		{"hook in place", plan.RunHook{Object: settings, InPlace: true}, "create ConfigMap/shop/settings; patch ConfigMap/shop/settings"},
		{"clean-up", plan.CleanHook{Ref: object.RefOf(settings)}, "delete ConfigMap/shop/settings"},
		{"kept object", plan.Keep{Ref: object.RefOf(settings)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range engine.Needs(&plan.Plan{Steps: []plan.Step{{Action: tt.action}, {Action: tt.action}}}) {
				got = append(got, a.String())
			}
			if strings.Join(got, "; ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), tt.want)
			}
		})
	}
}
