package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

// hookDoc is a Job with the given annotations, a line each, in a document
// whose first line is line 10 of its template's output: annotations start on line 15.
func hookDoc(annotations ...string) object.Document {
	text := "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n"
	for _, a := range annotations {
		text += "    " + a + "\n"
	}
	text += "spec:\n  template:\n    metadata:\n      annotations:\n        helm.sh/hook: inner\n"
	return object.Document{Source: "shop/templates/migrate.yaml", Line: 10, Text: text}
}

// parseHook parses a document and gives the hook with all problems, those of
// CheckAnnotations last, each in one line.
func parseHook(t *testing.T, reader release.HookReader, doc object.Document) (*release.Hook, []string) {
	t.Helper()
	obj, err := object.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	hook, list := reader.Parse(doc, obj)
	list = append(list, release.CheckAnnotations(doc, obj)...)
	var lines []string
	for _, p := range list {
		if p.Detail != "in Job/migrate" {
			t.Errorf("the detail is %q", p.Detail)
		}
		p.Detail = ""
		lines = append(lines, p.Severity.String()+" "+strings.TrimPrefix(p.Error(), "shop/templates/migrate.yaml:"))
	}
	return hook, lines
}

func TestParseHook(t *testing.T) {
	doc := hookDoc(`"helm.sh/hook": " Pre-Install,pre-upgrade , test-success,test"`, `"helm.sh/hook-weight": "-5"`,
		`"helm.sh/hook-delete-policy": before-hook-creation, Hook-Succeeded`, `"helm.sh/hook-output-log-policy": hook-failed`)
	hook, problems := parseHook(t, release.HookReader{}, doc)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]release.Event{release.PreInstall, release.PreUpgrade, release.Test}, hook.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]release.DeletePolicy{release.BeforeHookCreation, release.HookSucceeded}, hook.DeletePolicies); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	if hook.Name != "migrate" || hook.Kind != "Job" || hook.Weight != -5 || hook.Path != doc.Source || hook.Manifest != doc.Text {
		t.Errorf("hook is %+v", hook)
	}
	if diff := cmp.Diff([]string{"hook-failed"}, hook.LogPolicies); diff != "" {
		t.Errorf("log policies (-want +got):\n%s", diff)
	}
}

func TestOrdinaryObjectsAreNoHooks(t *testing.T) {
	hook, problems := parseHook(t, release.HookReader{}, hookDoc(`helm.sh/hook-delete-policy: hook-succeeded`))
	if hook != nil || len(problems) > 0 {
		t.Errorf("a delete policy without an event gave %v, %v", hook, problems)
	}
}

func TestHookProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		annotations []string
		strict      []string
		allowed     []string
	}{
		"misspelt event": {
			annotations: []string{`a: b`, `"helm.sh/hook": post-install, pre-instal`},
			strict:      []string{`error 16 (rendered): "pre-instal" is not a hook event; did you mean "pre-install"?`},
			allowed:     []string{`warning 16 (rendered): "pre-instal" is not a hook event; did you mean "pre-install"? (the object is left out)`},
		},
		"event without a dash": {
			annotations: []string{`helm.sh/hook: preupgrade`},
			strict:      []string{`error 15 (rendered): "preupgrade" is not a hook event; did you mean "pre-upgrade"?`},
			allowed:     []string{`warning 15 (rendered): "preupgrade" is not a hook event; did you mean "pre-upgrade"? (the object is left out)`},
		},
		"no event": {
			annotations: []string{`helm.sh/hook:`},
			strict:      []string{`error 15 (rendered): "" is not a hook event; known are "pre-install", "post-install", "pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback", "pre-delete", "post-delete", "test"`},
			allowed:     []string{`warning 15 (rendered): "" is not a hook event; known are "pre-install", "post-install", "pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback", "pre-delete", "post-delete", "test" (the object is left out)`},
		},
		"crd-install": {
			annotations: []string{`helm.sh/hook: crd-install`},
			strict:      []string{`warning 15 (rendered): the object is left out: crd-install is an event of Helm 2; put CustomResourceDefinitions into crds/`},
			allowed:     []string{`warning 15 (rendered): the object is left out: crd-install is an event of Helm 2; put CustomResourceDefinitions into crds/`},
		},
		"weight": {
			annotations: []string{`helm.sh/hook: test`, `# a comment`, `helm.sh/hook-weight: ten`},
			strict:      []string{`error 17 (rendered): the hook's weight is "ten": it must be a whole number`},
			allowed:     []string{`warning 17 (rendered): the hook's weight is "ten": it must be a whole number`},
		},
		"delete policy": {
			annotations: []string{`helm.sh/hook: test`, `'helm.sh/hook-delete-policy': "hook-success,before-hook-creation"`},
			strict:      []string{`error 16 (rendered): "hook-success" is not a delete policy; did you mean "hook-succeeded"?`},
			allowed:     []string{`warning 16 (rendered): "hook-success" is not a delete policy; did you mean "hook-succeeded"?`},
		},
		"delete policy far from any": {
			annotations: []string{`helm.sh/hook: test`, `helm.sh/hook-delete-policy: never`},
			strict:      []string{`error 16 (rendered): "never" is not a delete policy; known are "before-hook-creation", "hook-succeeded", "hook-failed"`},
			allowed:     []string{`warning 16 (rendered): "never" is not a delete policy; known are "before-hook-creation", "hook-succeeded", "hook-failed"`},
		},
		"log policy": {
			annotations: []string{`helm.sh/hook: test`, `helm.sh/hook-output-log-policy: hook-fail`},
			strict:      []string{`warning 16 (rendered): "hook-fail" is not an output-log policy; did you mean "hook-failed"?`},
			allowed:     []string{`warning 16 (rendered): "hook-fail" is not an output-log policy; did you mean "hook-failed"?`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, strict := parseHook(t, release.HookReader{}, hookDoc(tc.annotations...))
			if diff := cmp.Diff(tc.strict, strict); diff != "" {
				t.Errorf("strict (-want +got):\n%s", diff)
			}
			_, allowed := parseHook(t, release.HookReader{AllowUnknown: true}, hookDoc(tc.annotations...))
			if diff := cmp.Diff(tc.allowed, allowed); diff != "" {
				t.Errorf("allowing unknown (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllowUnknownDoesAsHelm(t *testing.T) {
	reader := release.HookReader{AllowUnknown: true}
	if hook, _ := parseHook(t, reader, hookDoc(`helm.sh/hook: post-install,pre-instal`)); hook != nil {
		t.Errorf("Helm drops a hook with one unknown event; got %+v", hook)
	}
	hook, _ := parseHook(t, reader, hookDoc(`helm.sh/hook: test`, `helm.sh/hook-weight: ten`, `helm.sh/hook-delete-policy: never`))
	if hook.Weight != 0 {
		t.Errorf("weight is %d", hook.Weight)
	}
	if hook.Replaces() {
		t.Error("Helm's default policy is off once a policy is written, known or not")
	}
}

func TestCheckAnnotations(t *testing.T) {
	for name, tc := range map[string]struct {
		annotations []string
		want        []string
	}{
		"all good on a test": {[]string{`helm.sh/hook: test`, `pintle.dev/timeout: 90s`, `pintle.dev/retries: "2"`, `pintle.dev/suite: auth`,
			`pintle.dev/parallel: "true"`, `pintle.dev/always: "false"`, `pintle.dev/irreversible: "true"`}, nil},
		"all good on an ordinary object": {[]string{`pintle.dev/wait: ignore`, `pintle.dev/after-tests: "true"`, `pintle.dev/on-immutable: recreate-orphan`}, nil},
		"unknown":                        {[]string{`pintle.dev/retry: "2"`}, []string{`error 15 (rendered): there is no annotation pintle.dev/retry; did you mean "pintle.dev/retries"?`}},
		"bad timeout":                    {[]string{`helm.sh/hook: test`, `pintle.dev/timeout: "90"`}, []string{`error 16 (rendered): annotation pintle.dev/timeout is "90": the value must be a duration above zero, such as "90s" or "10m"`}},
		"negative timeout":               {[]string{`helm.sh/hook: test`, `pintle.dev/timeout: "-9s"`}, []string{`error 16 (rendered): annotation pintle.dev/timeout is "-9s": the value must be a duration above zero, such as "90s" or "10m"`}},
		"bad retries":                    {[]string{`helm.sh/hook: test`, `pintle.dev/retries: "-1"`}, []string{`error 16 (rendered): annotation pintle.dev/retries is "-1": the value must be a whole number, "0" or more`}},
		"bad boolean":                    {[]string{`helm.sh/hook: test`, `pintle.dev/parallel: "yes"`}, []string{`error 16 (rendered): annotation pintle.dev/parallel is "yes": the value must be "true" or "false"`}},
		"not text":                       {[]string{`helm.sh/hook: test`, `pintle.dev/retries: 2`}, []string{`error 16 (rendered): annotation pintle.dev/retries must be text: put its value in quotes`}},
		"hook's on an ordinary object":   {[]string{`pintle.dev/timeout: 9s`}, []string{`warning 15 (rendered): annotation pintle.dev/timeout has no effect here: it is for hooks`}},
		"test's on another hook":         {[]string{`helm.sh/hook: pre-install`, `pintle.dev/suite: a`}, []string{`warning 16 (rendered): annotation pintle.dev/suite has no effect here: it is for tests`}},
		"ordinary object's on a hook":    {[]string{`helm.sh/hook: pre-install`, `pintle.dev/wait: ignore`}, []string{`warning 16 (rendered): annotation pintle.dev/wait has no effect here: it is for objects that are no hooks`}},
		"Helm's key misspelt":            {[]string{`helm.sh/hook: pre-install`, `helm.sh/hook-wieght: "3"`}, []string{`warning 16 (rendered): annotation helm.sh/hook-wieght means nothing to Helm; did you mean "helm.sh/hook-weight"?`}},
		"another tool's":                 {[]string{`helm.sh/chart: shop`, `checksum/config: abc`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := parseHook(t, release.HookReader{}, hookDoc(tc.annotations...))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProblemLineInsideAListAndFlowStyle(t *testing.T) {
	for text, want := range map[string]int{
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n    annotations:\n      pintle.dev/nope: x\n": 9,
		"{apiVersion: v1, kind: ConfigMap,\n metadata: {name: a, annotations: {b: c,\n pintle.dev/nope: x}}}":                                             3,
		"apiVersion: v1\nkind: ConfigMap\nx: &a\n  pintle.dev/nope: x\nmetadata:\n  annotations: *a\n":                                                    4,
	} {
		parsed, err := object.ParseAll(object.SplitFile("c/templates/a.yaml", text))
		if err != nil {
			t.Fatal(err)
		}
		list := release.CheckAnnotations(parsed[0].Document, parsed[0].Object)
		if len(list) != 1 || list[0].Line != want || list[0].Severity != diag.Error || !list[0].Rendered {
			t.Errorf("got %+v, want one error on line %d", list, want)
		}
	}
}

func FuzzHookAnnotations(f *testing.F) {
	f.Add("pre-install, post-upgrade", "5", "hook-succeeded", "3m")
	f.Add(",", "", ",,", "-1")
	f.Add("PRE-INSTALL", "99999999999999999999", "\x00", "1e9h")
	f.Fuzz(func(t *testing.T, events, weight, policies, timeout string) {
		doc := hookDoc()
		obj, err := object.Parse(doc)
		if err != nil {
			t.Fatal(err)
		}
		obj.SetAnnotations(map[string]string{
			release.HookAnnotation: events, release.WeightAnnotation: weight,
			release.DeletePolicyAnnotation: policies, release.TimeoutAnnotation: timeout,
		})
		hook, problems := release.ParseHook(doc, obj)
		problems = append(problems, release.CheckAnnotations(doc, obj)...)
		for _, p := range problems {
			if p.Line < doc.Line || p.Summary == "" {
				t.Errorf("problem without a place or words: %+v", p)
			}
		}
		if problems.Err() == nil && hook == nil && !strings.Contains(strings.ToLower(events), "crd-install") {
			t.Errorf("events %q gave no hook and no error", events)
		}
		if hook != nil && hook.Options().Timeout < 0 {
			t.Errorf("timeout %q is negative", timeout)
		}
	})
}
