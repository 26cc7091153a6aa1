package telemetry

import (
	"fmt"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	record "go.opentelemetry.io/proto/slim/otlp/logs/v1"
)

// course is a plan that is being run.
type course struct {
	*span
	plan  *plan.Plan
	steps map[string]*step
	// notRun counts the steps that were left out after a failure.
	notRun int
}

// step is a step that is being worked on.
type step struct {
	*span
	plan.Step
	ref object.Ref
	// attempt is the present one of a hook; nil for other steps.
	attempt *attempt
	tries   int
}

// attempt is one run of a hook.
type attempt struct {
	*span
	nth int
	// streams are the attributes of log lines, by where they come from.
	streams map[stream]attributes
}

type stream struct{ pod, container string }

// take turns an event into spans and records; r.mu is held.
func (r *Run) take(e event.Event) {
	switch e := e.(type) {
	case event.PlanStarted:
		r.beginPlan(e)
	case event.Notice:
		r.notice(e)
	case event.PlanFinished:
		if r.plan != nil {
			r.endPlan(r.plan, e.Time, e.Failed, r.plan.notRun)
		}
	}
	if r.plan == nil {
		return
	}
	switch e := e.(type) {
	case event.StepStarted:
		r.beginStep(e)
	case event.ObjectObserved:
		if s := r.plan.steps[e.StepID]; s != nil {
			s.observed(e)
		}
	case event.LogLine:
		r.line(e)
	case event.RunFinished:
		r.ran(e)
	case event.StepFinished:
		r.endStep(e)
	}
}

func (r *Run) beginPlan(e event.PlanStarted) {
	name := string(e.Plan.Operation)
	if onlyRecords(e.Plan) {
		name = "record"
	}
	c := &course{span: under(r.root, name, e.Time), plan: e.Plan, steps: map[string]*step{}}
	c.text(attrRelease, e.Plan.Release)
	c.text(attrNamespace, e.Plan.Namespace)
	c.number(attrRevision, e.Plan.Revision)
	c.text(attrOperation, string(e.Plan.Operation))
	r.plan = c
}

// onlyRecords tells a plan that writes down how another one ended.
func onlyRecords(p *plan.Plan) bool {
	for _, s := range p.Steps {
		if s.Block != plan.BlockRecord {
			return false
		}
	}
	return len(p.Steps) > 0
}

func (r *Run) endPlan(c *course, at time.Time, failed bool, notRun int) {
	r.plan = nil
	outcome := event.Done
	if failed {
		outcome = event.Failed
	}
	c.text(attrOutcome, string(outcome))
	if notRun > 0 {
		c.number(attrSkipped, notRun)
	}
	if failed && !c.failed {
		c.fail("", "")
	}
	r.end(c.span, at)
}

func (r *Run) beginStep(e event.StepStarted) {
	name, ref := describe(e.Step.Action)
	s := &step{span: under(r.plan.span, name, e.Time), Step: e.Step, ref: ref}
	s.text(attrRelease, r.plan.plan.Release)
	s.number(attrRevision, r.plan.plan.Revision)
	s.text(attrBlock, e.Step.Block)
	s.text(attrStep, e.Step.ID)
	s.text(attrWhy, e.Step.Reason)
	if ref.Kind != "" {
		s.object(ref)
	}
	if a, ok := e.Step.Action.(plan.RunHook); ok {
		s.text(attrHook, a.Hook.Name)
		s.text(attrEvent, string(a.Event))
		s.number(attrWeight, a.Hook.Weight)
		s.text(attrSuite, a.Suite)
		s.try(e.Time)
	}
	r.plan.steps[e.Step.ID] = s
}

// describe names a step, and the object that it works on.
func describe(a plan.Action) (string, object.Ref) {
	switch a := a.(type) {
	case plan.RunHook:
		ref := object.RefOf(a.Object)
		return string(a.Event) + " " + ref.Short(), ref
	case plan.SkipHook:
		return string(a.Event) + " " + a.Ref.Short(), a.Ref
	case plan.CleanHook:
		return "clean up " + a.Ref.Short(), a.Ref
	case plan.Apply:
		ref := object.RefOf(a.Object)
		return string(a.Change) + " " + ref.Short(), ref
	case plan.Delete:
		return "delete " + a.Ref.Short(), a.Ref
	case plan.Keep:
		return "keep " + a.Ref.Short(), a.Ref
	case plan.Await:
		return a.Verb(), object.Ref{}
	}
	return plan.Words(a), object.Ref{}
}

// try begins the next attempt of a hook.
func (s *step) try(at time.Time) {
	s.tries++
	s.attempt = &attempt{span: under(s.span, fmt.Sprintf("attempt %d", s.tries), at), nth: s.tries, streams: map[stream]attributes{}}
}

// observed notes a changed state of an object.
func (s *step) observed(e event.ObjectObserved) {
	at := s.span
	if s.attempt != nil {
		at = s.attempt.span
	}
	name := e.Status.State.String()
	if e.Status.Reason != "" {
		name = e.Status.Reason
	}
	var attrs attributes
	attrs.text(attrObject, e.Object.String())
	attrs.text(attrState, e.Status.State.String())
	attrs.text(attrReason, e.Status.Reason)
	attrs.text(attrMessage, e.Status.Message)
	at.event(name, e.Time, attrs)
}

// line sends a line that a hook's container wrote.
func (r *Run) line(e event.LogLine) {
	s := r.plan.steps[e.StepID]
	if s == nil || s.attempt == nil {
		return
	}
	from := stream{e.Pod, e.Container}
	attrs, ok := s.attempt.streams[from]
	if !ok {
		attrs = r.streamAttributes(s, e)
		s.attempt.streams[from] = attrs
	}
	l := r.record(e.Line.Time, s.attempt.span, record.SeverityNumber_SEVERITY_NUMBER_UNSPECIFIED, e.Line.Text)
	l.Attributes = attrs
	r.emit(l)
}

// streamAttributes are those of all lines of one container.
func (r *Run) streamAttributes(s *step, e event.LogLine) attributes {
	var attrs attributes
	attrs.text(attrRelease, r.plan.plan.Release)
	attrs.number(attrRevision, r.plan.plan.Revision)
	attrs.text(attrHook, e.Hook)
	if a, ok := s.Action.(plan.RunHook); ok {
		attrs.text(attrEvent, string(a.Event))
		attrs.text(attrSuite, a.Suite)
	}
	attrs.number(attrAttempt, s.attempt.nth)
	attrs.text(attrNamespace, s.ref.Namespace)
	if !s.ref.Is("", "Pod") {
		attrs.text(workloads[s.ref.Group+"/"+s.ref.Kind], s.ref.Name)
	}
	attrs.text(attrPod, e.Pod)
	attrs.text(attrContainer, e.Container)
	return attrs
}

// ran ends an attempt of a hook and begins the next one.
func (r *Run) ran(e event.RunFinished) {
	s := r.plan.steps[e.StepID]
	if s == nil {
		return
	}
	if a := s.attempt; a != nil && ends(s.ref) {
		a.describe(e)
		r.end(a.span, e.Run.Ended)
	}
	if e.Final {
		s.attempt = nil
		return
	}
	s.try(e.Run.Ended)
}

// ends tells objects that have an end of their own.
func ends(ref object.Ref) bool { return ref.Is("batch", "Job") || ref.Is("", "Pod") }

// describe says how an attempt ended.
func (a *attempt) describe(e event.RunFinished) {
	a.start = e.Run.Started
	a.number(attrAttempt, e.Run.Attempt)
	a.object(e.Run.Object)
	a.text(attrOutcome, strings.ToLower(string(e.Run.Phase)))
	a.text(attrReason, e.Run.Reason)
	a.text(attrCause, causeText(e.Causes))
	code := 0
	for _, p := range e.Run.Pods {
		for _, c := range p.Containers {
			a.container(p, c, e.Run.Ended)
			if code == 0 && c.ExitCode > 0 {
				code = c.ExitCode
			}
		}
	}
	if e.Run.Reason == "" && e.Run.Message == "" {
		return
	}
	if code > 0 {
		a.number(attrExitCode, code)
	}
	a.fail(e.Run.Reason, e.Run.Message)
}

// container notes how a container ended.
func (a *attempt) container(p ledger.Pod, c ledger.Container, ended time.Time) {
	var attrs attributes
	attrs.text(attrPod, p.Name)
	attrs.text(attrNode, p.Node)
	attrs.text(attrContainer, c.Name)
	attrs.text(attrImage, c.Image)
	attrs.number(attrRestarts, c.Restarts)
	attrs.text(attrReason, c.Reason)
	attrs.text(attrMessage, c.Message)
	if c.ExitCode >= 0 {
		attrs.number(attrExitCode, c.ExitCode)
	}
	if c.Signal > 0 {
		attrs.number(attrSignal, c.Signal)
	}
	if !c.Ended.IsZero() {
		ended = c.Ended
	}
	a.event("container ended", ended, attrs)
}

// causeText is the root causes, a line each.
func causeText(causes []health.Cause) string {
	var lines []string
	for _, c := range causes {
		for _, root := range c.Roots() {
			lines = append(lines, root.Sentence())
		}
	}
	return strings.Join(lines, "\n")
}

func (r *Run) endStep(e event.StepFinished) {
	s := r.plan.steps[e.Step.ID]
	if s == nil {
		if e.Outcome == event.Skipped {
			r.plan.notRun++
		}
		return
	}
	delete(r.plan.steps, e.Step.ID)
	if e.Outcome == event.Unchanged && !worthTelling(e.Step.Action) {
		return
	}
	outcome := string(e.Outcome)
	if _, skipped := e.Step.Action.(plan.SkipHook); skipped {
		outcome = string(event.Skipped)
	}
	s.text(attrOutcome, outcome)
	if s.tries > 0 && ends(s.ref) {
		s.number(attrAttempts, s.tries)
	}
	s.text(attrNote, e.Note)
	s.text(attrCause, causeText(e.Causes))
	if e.Err != nil {
		s.fail(reasonOf(e.Causes), e.Err.Error())
		if !r.plan.failed {
			r.plan.fail(reasonOf(e.Causes), e.Err.Error())
		}
	}
	r.end(s.span, e.Time)
}

// worthTelling tells the steps that are of interest although they did nothing:
// not the many objects that are as they should be.
func worthTelling(a plan.Action) bool {
	switch a.(type) {
	case plan.Apply, plan.Keep, plan.CleanHook, plan.Delete:
		return false
	}
	return true
}

// reasonOf is the word of the first root cause; that of what it is the cause of
// where it says no more than that a process has failed.
func reasonOf(causes []health.Cause) string {
	for _, c := range causes {
		for _, root := range c.Roots() {
			if root.Reason != "" && root.Reason != "Error" {
				return root.Reason
			}
		}
		if c.Reason != "" {
			return c.Reason
		}
	}
	return ""
}

// notice sends a message for the user.
func (r *Run) notice(e event.Notice) {
	severity := record.SeverityNumber_SEVERITY_NUMBER_INFO
	switch e.Problem.Severity {
	case diag.Warning:
		severity = record.SeverityNumber_SEVERITY_NUMBER_WARN
	case diag.Error:
		severity = record.SeverityNumber_SEVERITY_NUMBER_ERROR
	}
	at := r.root
	if r.plan != nil {
		at = r.plan.span
	}
	l := r.record(r.now(), at, severity, e.Problem.Error())
	l.Attributes = at.attributes
	r.emit(l)
}
