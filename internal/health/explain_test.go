package health

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestExplain explains the first object of each file in testdata/explain by
// the others. The files were recorded from a real cluster: objects, events
// and, as documents of kind Logs, what containers wrote. Each is headed by the
// expected tree.
func TestExplain(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			want, body := readFixture(t, file)
			root, related := recorded(t, body)
			got := tree(Explain(root, related), "# ")
			if *update {
				writeFixture(t, file, got, body)
				return
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// recorded reads a fixture's documents.
func recorded(t *testing.T, body string) (*unstructured.Unstructured, Related) {
	t.Helper()
	var root *unstructured.Unstructured
	related := Related{Logs: map[LogKey][]string{}}
	for _, doc := range strings.Split(body, "\n---\n") {
		u := parse(t, strings.TrimPrefix(doc, "---\n"))
		switch u.GetKind() {
		case "Event":
			related.Events = append(related.Events, eventOf(u))
		case "Logs":
			o := content(u)
			key := LogKey{u.GetNamespace(), u.GetName(), o.text("container")}
			related.Logs[key] = strings.Split(strings.TrimSuffix(o.text("text"), "\n"), "\n")
		default:
			if root == nil {
				root = u
				continue
			}
			related.Objects = append(related.Objects, u)
		}
	}
	return root, related
}

func eventOf(u *unstructured.Unstructured) Event {
	o := content(u)
	about := o.at("involvedObject")
	last, _ := time.Parse(time.RFC3339, o.text("lastTimestamp"))
	if last.IsZero() {
		last, _ = time.Parse(time.RFC3339Nano, o.text("eventTime"))
	}
	return Event{
		About: object.Ref{Kind: about.text("kind"), Namespace: about.text("namespace"), Name: about.text("name")}, UID: about.text("uid"),
		Type: o.text("type"), Reason: o.text("reason"), Message: o.text("message"), Count: o.number("count", 1), Last: last,
	}
}

// tree writes a cause with everything that it holds.
func tree(c Cause, indent string) string {
	text := indent + c.Subject
	if c.Reason != "" {
		text += " [" + c.Reason + "]"
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	if c.ExitCode != nil {
		text += fmt.Sprintf(" {exit %d}", *c.ExitCode)
	}
	text += "\n"
	for _, l := range c.Lines {
		text += indent + "  | " + l + "\n"
	}
	if c.Advice != "" {
		text += indent + "  -> " + c.Advice + "\n"
	}
	for _, child := range c.Children {
		text += tree(child, indent+"  ")
	}
	return text
}

func TestExplainRefusal(t *testing.T) {
	secret := object.Ref{Version: "v1", Kind: "Secret", Namespace: "shop", Name: "a"}
	cases := map[string]struct{ message, want string }{
		"webhook denies": {
			`admission webhook "validate.example.com" denied the request: image tag latest is not allowed.`,
			`Secret/shop/a [WebhookDenied]: the admission webhook "validate.example.com" refused it: image tag latest is not allowed`,
		},
		"webhook denies without a word": {
			`admission webhook "validate.example.com" denied the request without explanation`,
			`Secret/shop/a [WebhookDenied]: the admission webhook "validate.example.com" refused it`,
		},
		"webhook is away": {
			`Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://v.shop.svc:443/?timeout=10s": service "v" not found`,
			`Secret/shop/a [WebhookUnavailable]: the admission webhook "v.example.com" does not answer: Post "https://v.shop.svc:443/?timeout=10s": service "v" not found`,
		},
		"no permission": {
			`secrets "a" is forbidden: User "system:serviceaccount:ci:deployer" cannot patch resource "secrets" in API group "" in the namespace "shop"`,
			`Secret/shop/a [Forbidden]: system:serviceaccount:ci:deployer may not patch secrets in namespace "shop"`,
		},
		"no permission in the cluster": {
			`clusterroles.rbac.authorization.k8s.io is forbidden: User "jane" cannot list resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope`,
			`Secret/shop/a [Forbidden]: jane may not list clusterroles.rbac.authorization.k8s.io cluster-wide`,
		},
		"quota": {
			`secrets "a" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5`,
			`Secret/shop/a [ExceededQuota]: the ResourceQuota "q" is used up: requested secrets=1, used secrets=5, limited to secrets=5`,
		},
		"quota wants requests": {
			`pods "x" is forbidden: failed quota: q: must specify limits.memory for: main; requests.cpu for: main`,
			`Secret/shop/a [ExceededQuota]: the ResourceQuota "q" demands that every container says its limits.memory for: main; requests.cpu for: main`,
		},
		"immutable": {
			`Job.batch "x" is invalid: spec.template: Invalid value: {}: field is immutable`,
			`Secret/shop/a [Immutable]: a field that cannot be changed would change: Job.batch "x" is invalid: spec.template: Invalid value: {}: field is immutable`,
		},
		"statefulset": {
			`StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden`,
			`Secret/shop/a [Immutable]: a field that cannot be changed would change: StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden`,
		},
		"policy": {
			`deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'all' denied request: at most 5 replicas`,
			`Secret/shop/a [PolicyDenied]: the ValidatingAdmissionPolicy "replicas" refused it: at most 5 replicas`,
		},
		"limit range": {
			`pods "x" is forbidden: [maximum cpu usage per Container is 1, but limit is 2]`,
			`Secret/shop/a [LimitRange]: a LimitRange of the namespace forbids it: maximum cpu usage per Container is 1, but limit is 2`,
		},
		"namespace ends": {
			`secrets "a" is forbidden: unable to create new content in namespace shop because it is being terminated`,
			`Secret/shop/a [NamespaceTerminating]: the namespace is being deleted`,
		},
		"something else": {"the object has been modified", "Secret/shop/a [FailedCreate]: the object has been modified"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("applying: %w", &object.RequestError{Verb: "patch", Ref: secret, Err: errors.New(c.message)})
			got, _, _ := strings.Cut(tree(ExplainRefusal("", err), ""), "\n")
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	if got := ExplainRefusal("its pods", errors.New("x")).Subject; got != "its pods" {
		t.Errorf("subject %q", got)
	}
}

func TestRoots(t *testing.T) {
	c := Cause{Subject: "a", Children: []Cause{{Subject: "b"}, {Subject: "c", Children: []Cause{{Subject: "d"}}}}}
	var got []string
	for _, r := range c.Roots() {
		got = append(got, r.Subject)
	}
	if strings.Join(got, " ") != "b d" {
		t.Errorf("got %v", got)
	}
}
