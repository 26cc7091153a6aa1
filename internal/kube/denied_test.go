package kube

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAccessRules(t *testing.T) {
	deploy := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	all := accessRule{Verbs: []string{"*"}, Groups: []string{"*"}, Resources: []string{"*"}}
	named := accessRule{Verbs: []string{"patch", "create", "list"}, Groups: []string{"apps"}, Resources: []string{"deployments"}, ResourceNames: []string{"web"}}
	tests := []struct {
		name string
		rule accessRule
		q    question
		want bool
	}{
		{"everything", all, question{verb: "patch", gvr: deploy, name: "web"}, true},
		{"the verb", accessRule{Verbs: []string{"get"}, Groups: []string{"apps"}, Resources: []string{"deployments"}}, question{verb: "patch", gvr: deploy}, false},
		{"the group", accessRule{Verbs: []string{"patch"}, Groups: []string{""}, Resources: []string{"deployments"}}, question{verb: "patch", gvr: deploy}, false},
		{"the resource", accessRule{Verbs: []string{"patch"}, Groups: []string{"apps"}, Resources: []string{"deployments/scale"}}, question{verb: "patch", gvr: deploy}, false},
		{"the name", named, question{verb: "patch", gvr: deploy, name: "web"}, true},
		{"another name", named, question{verb: "patch", gvr: deploy, name: "api"}, false},
		{"all names", named, question{verb: "list", gvr: deploy}, false},
		{"a name does not grant the creation", named, question{verb: "create", gvr: deploy}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.rule.grants(tt.q); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
