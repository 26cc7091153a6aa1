package kube

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/pintle-dev/pintle/internal/object"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// question is one that the API server answers about our permissions.
type question struct {
	verb      string
	gvr       schema.GroupVersionResource
	namespace string
	name      string
}

// Denied gives those of the accesses that we have no permission for, in their
// order. One request for each namespace answers most questions; what it leaves
// open is asked one by one. Kinds that are not served are not looked at, and a
// server that answers no such questions denies nothing.
func (c *Client) Denied(ctx context.Context, wanted []object.Access) ([]object.Access, error) {
	questions := make([]question, len(wanted))
	for i, a := range wanted {
		questions[i] = c.question(a)
	}
	open, err := c.openQuestions(ctx, questions)
	if err != nil {
		return nil, err
	}
	no, err := c.ask(ctx, open)
	if err != nil {
		return nil, err
	}
	var denied []object.Access
	for i, a := range wanted {
		if no[questions[i]] {
			denied = append(denied, a)
		}
	}
	return denied, nil
}

// question is the zero value for a kind that is not served.
func (c *Client) question(a object.Access) question {
	r, served := lookUp(c.known(), a.Ref.GVK(), false)
	if !served {
		return question{}
	}
	q := question{verb: a.Verb, gvr: r.GVR()}
	if r.Namespaced {
		q.namespace = c.in(a.Ref.Namespace)
	}
	switch a.Verb {
	case "create", "list", "watch": // these are about all objects of a kind
	default:
		q.name = a.Ref.Name
	}
	return q
}

// openQuestions are those that the rules of their namespaces do not answer with
// yes. Rules of a namespace say nothing of objects outside namespaces.
func (c *Client) openQuestions(ctx context.Context, questions []question) ([]question, error) {
	rules := map[string][]accessRule{}
	var open []question
	for _, q := range questions {
		if q.verb == "" {
			continue
		}
		if _, read := rules[q.namespace]; !read && q.namespace != "" {
			found, err := c.rules(ctx, q.namespace)
			if err != nil {
				return nil, err
			}
			rules[q.namespace] = found
		}
		granted := slices.ContainsFunc(rules[q.namespace], func(r accessRule) bool { return r.grants(q) })
		if !granted && !slices.Contains(open, q) {
			open = append(open, q)
		}
	}
	return open, nil
}

// ask asks the questions one by one, several at once, and gives those whose
// answer is no.
func (c *Client) ask(ctx context.Context, questions []question) (map[question]bool, error) {
	allowed := make([]bool, len(questions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, q := range questions {
		group.Go(func() (err error) {
			allowed[i], err = c.CanI(ctx, q.verb, q.gvr, q.namespace, q.name)
			if unanswered(err) {
				allowed[i], err = true, nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	no := map[question]bool{}
	for i, q := range questions {
		no[q] = !allowed[i]
	}
	return no, nil
}

// unanswered tells errors which mean that nobody answers such questions here.
func unanswered(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err)
}

// accessRule is one permission, as a SelfSubjectRulesReview lists it.
type accessRule struct {
	Verbs         []string `json:"verbs"`
	Groups        []string `json:"apiGroups"`
	Resources     []string `json:"resources"`
	ResourceNames []string `json:"resourceNames"`
}

// rules are our permissions in a namespace, as far as the API server can list
// them; none where it does not answer.
func (c *Client) rules(ctx context.Context, namespace string) ([]accessRule, error) {
	ref := object.Ref{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectRulesReview"}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": ref.Kind, "spec": map[string]any{"namespace": namespace},
	})
	if err != nil {
		return nil, err
	}
	resp, err := c.do(ctx, request{
		verb: "create", path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", contentType: asJSON, body: body, ref: ref, asks: true,
	})
	if unanswered(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var review struct {
		Status struct {
			ResourceRules []accessRule `json:"resourceRules"`
		} `json:"status"`
	}
	err = json.Unmarshal(resp.body, &review)
	return review.Status.ResourceRules, err
}

// grants tells that the rule answers the question with yes. A rule for named
// objects grants nothing to a question about all of them.
func (r accessRule) grants(q question) bool {
	if len(r.ResourceNames) > 0 && !slices.Contains(r.ResourceNames, q.name) {
		return false
	}
	return covers(r.Verbs, q.verb) && covers(r.Groups, q.gvr.Group) && covers(r.Resources, q.gvr.Resource)
}

func covers(list []string, word string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, word)
}
