package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/pintle-dev/pintle/internal/ledger"
)

// section is an operation as the page and the picture show it: everything is
// text and per cent of the whole time.
type section struct {
	Operation
	// ID is that of the heading in the page.
	ID      string
	Title   string
	Verdict badge
	Took    string
	Counts  string
	Why     []blame
	Ticks   []tick
	Groups  []group
}

// blame is one reason for a failure: the cause that no other explains, what
// was judged from it, and what was seen while there was still hope.
type blame struct {
	ledger.Cause
	Verdict, Before string
}

// badge is an outcome as a word, a sign and a class of the style sheet: never
// as a colour alone.
type badge struct{ Word, Sign, Class string }

type tick struct {
	At    float64
	Label string
}

type group struct {
	Title string
	Rows  []row
}

type row struct {
	Lane
	Badge badge
	Took  string
	// Says is what stands beside the name, in a word or two.
	Says string
	// Spoken is the row for those who do not see the bars.
	Spoken string
	Boxes  []box
	// Open tells that the row is unfolded from the start, More that there is
	// something to unfold.
	Open, More bool
	Attempts   []attempt
	States     []state
}

type box struct {
	Left, Width float64
	Class       string
	Title       string
}

type attempt struct {
	Title      string
	Badge      badge
	Message    string
	Containers []container
	Events     []happening
}

type container struct {
	Title, Facts string
	Lines        string
	Count        int
	Dropped      int
	Open         bool
}

type happening struct{ When, Text string }

type state struct{ When, Object, Text string }

var badges = map[ledger.Outcome]badge{
	ledger.OutcomeDone:        {"done", "✓", "good"},
	ledger.OutcomeUnchanged:   {"unchanged", "=", "still"},
	ledger.OutcomeFailed:      {"failed", "✗", "bad"},
	ledger.OutcomeSkipped:     {"not run", "–", "still"},
	ledger.OutcomeInterrupted: {"interrupted", "!", "warn"},
	OutcomeUnknown:            {"unknown", "?", "warn"},
}

func badgeOf(o ledger.Outcome) badge {
	if b, ok := badges[o]; ok {
		return b
	}
	return badges[OutcomeUnknown]
}

func (l Lane) badge() badge {
	b := badgeOf(l.Outcome)
	switch {
	case l.Flaky:
		return badge{"flaky", "↻", "warn"}
	case l.Outcome == ledger.OutcomeDone && (l.Kind == Hook || l.Kind == Test) && len(l.Runs) > 0:
		b.Word = "succeeded"
	}
	return b
}

// sections lays the operations out.
func (r *Report) sections() []section {
	var out []section
	for i, o := range r.Operations {
		s := section{Operation: o, ID: fmt.Sprintf("operation-%d", i+1), Title: o.Name, Verdict: badgeOf(o.Outcome), Took: took(o.Ended.Sub(o.Started))}
		scale := scaleOf(o)
		s.Ticks = scale.ticks()
		failed, notRun, counts := 0, 0, map[Kind]int{}
		for _, l := range o.Lanes {
			s.place(r.row(l, scale))
			counts[l.Kind] += max(1, len(l.Objects))
			switch l.Outcome {
			case ledger.OutcomeFailed:
				failed++
				s.Why = append(s.Why, rootsOf(l)...)
			case ledger.OutcomeSkipped:
				notRun += max(1, len(l.Objects))
			}
		}
		s.Counts = countText(counts, failed, notRun)
		out = append(out, s)
	}
	return out
}

func countText(counts map[Kind]int, failed, notRun int) string {
	var parts []string
	for _, k := range []Kind{Hook, Test, Object} {
		switch n := counts[k]; {
		case n == 1:
			parts = append(parts, "1 "+string(k))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, k))
		}
	}
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", failed))
	}
	if notRun > 0 {
		parts = append(parts, fmt.Sprintf("%d not run", notRun))
	}
	return strings.Join(parts, ", ")
}

// rootsOf are what made a lane fail, without its way there.
func rootsOf(l Lane) []blame {
	if len(l.Causes) == 0 {
		return []blame{{Cause: ledger.Cause{Subject: l.Name, Message: l.Error}}}
	}
	var out []blame
	var walk func(above, verdict string, c ledger.Cause)
	walk = func(above, verdict string, c ledger.Cause) {
		for _, child := range c.Children {
			walk(joined(above, c.Subject), orWord(verdict, c.Message), child)
		}
		if len(c.Children) == 0 {
			c.Subject = joined(above, c.Subject)
			out = append(out, blame{Cause: c, Verdict: verdict})
		}
	}
	for _, c := range l.Causes {
		walk("", "", c)
	}
	if before := lastTrouble(l); len(out) > 0 && !strings.Contains(out[0].Message, before) && !strings.Contains(out[0].Verdict, before) {
		out[0].Before = before
	}
	return out
}

// lastTrouble is what held a hook or test up last, before it was judged.
func lastTrouble(l Lane) string {
	text := ""
	for _, o := range l.Observed {
		if o.State == "in progress" && o.Message != "" && o.Reason != "Running" && o.Reason != "Pending" && o.Reason != "InitRunning" {
			text = o.Message
		}
	}
	return text
}

func joined(above, subject string) string {
	if above == "" {
		return subject
	}
	return above + " › " + subject
}

// place puts a row under its heading.
func (s *section) place(r row) {
	if n := len(s.Groups); n == 0 || s.Groups[n-1].Title != r.Block {
		for i := range s.Groups {
			if s.Groups[i].Title == r.Block {
				s.Groups[i].Rows = append(s.Groups[i].Rows, r)
				return
			}
		}
		s.Groups = append(s.Groups, group{Title: r.Block})
	}
	last := &s.Groups[len(s.Groups)-1]
	last.Rows = append(last.Rows, r)
}

func (r *Report) row(l Lane, scale scale) row {
	out := row{Lane: l, Badge: l.badge()}
	if !l.Started.IsZero() {
		out.Took = took(l.Ended.Sub(l.Started))
	}
	for _, b := range l.Bars {
		left, width := scale.place(b.Started, b.Ended)
		out.Boxes = append(out.Boxes, box{
			Left: left, Width: width, Class: string(b.Kind) + " " + string(b.Outcome),
			Title: fmt.Sprintf("%s: %s, after %s for %s", l.Name, plain(b.Text), took(b.Started.Sub(scale.start)), took(b.Ended.Sub(b.Started))),
		})
	}
	out.Spoken, out.Says = spoken(l, scale), says(l)
	for _, run := range l.Runs {
		out.Attempts = append(out.Attempts, attemptOf(run, scale))
	}
	for _, o := range l.Observed {
		text := o.State
		if o.Message != "" {
			text += ": " + o.Message
		} else if o.Reason != "" {
			text += ": " + o.Reason
		}
		out.States = append(out.States, state{When: took(o.Time.Sub(scale.start)), Object: o.Object.Short(), Text: plain(text)})
	}
	out.More = len(out.Attempts)+len(out.States)+len(l.Causes) > 0 || l.Error != "" || len(l.Objects) > 1
	out.Open = l.Outcome == ledger.OutcomeFailed
	return out
}

func says(l Lane) string {
	switch {
	case len(l.Runs) > 1:
		return fmt.Sprintf("%d attempts", len(l.Runs))
	case l.Outcome == ledger.OutcomeFailed || l.Kind == Step:
		return "" // the reason is unfolded below
	}
	return plain(l.Note)
}

func spoken(l Lane, scale scale) string {
	if l.Started.IsZero() {
		return l.badge().Word
	}
	return fmt.Sprintf("%s; began after %s, took %s", l.badge().Word, took(l.Started.Sub(scale.start)), took(l.Ended.Sub(l.Started)))
}

func attemptOf(r ledger.Run, scale scale) attempt {
	out := attempt{
		Title: fmt.Sprintf("Attempt %d", r.Attempt), Badge: badgeOf(phaseOutcome(r.Phase)), Message: plain(r.Message),
	}
	if r.Reason != "" && !strings.Contains(out.Message, r.Reason) {
		out.Message = strings.TrimSuffix(r.Reason+": "+out.Message, ": ")
	}
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			out.Containers = append(out.Containers, containerOf(p, c))
		}
	}
	for _, e := range r.Events {
		text := fmt.Sprintf("%s %s: %s", e.Object.Short(), e.Reason, e.Message)
		if e.Count > 1 {
			text += fmt.Sprintf(" (%d times)", e.Count)
		}
		out.Events = append(out.Events, happening{When: took(e.Time.Sub(scale.start)), Text: plain(text)})
	}
	return out
}

func containerOf(p ledger.Pod, c ledger.Container) container {
	out := container{Title: c.Name, Count: c.Log.Lines, Dropped: c.Log.Dropped(), Open: c.ExitCode > 0}
	facts := []string{"pod " + p.Name}
	add := func(format string, value any, when bool) {
		if when {
			facts = append(facts, fmt.Sprintf(format, value))
		}
	}
	add("%s container", "init", c.Init)
	add("exit code %d", c.ExitCode, c.ExitCode >= 0)
	add("signal %d", c.Signal, c.Signal > 0)
	add("%s", c.Reason, c.Reason != "" && c.Reason != "Completed" && c.Reason != "Error")
	add("%d restarts", c.Restarts, c.Restarts > 0)
	add("node %s", p.Node, p.Node != "")
	add("image %s", c.Image, c.Image != "")
	out.Facts = strings.Join(facts, " · ")
	head, tail := c.Log.Kept()
	var text strings.Builder
	write := func(lines []ledger.Line) {
		for _, l := range lines {
			text.WriteString(plain(l.Text) + "\n")
		}
	}
	write(head)
	if out.Dropped > 0 {
		fmt.Fprintf(&text, "… %d lines were not kept …\n", out.Dropped)
	}
	write(tail)
	out.Lines = text.String()
	return out
}

// scale turns moments into per cent of an operation's time.
type scale struct {
	start time.Time
	total time.Duration
}

func scaleOf(o Operation) scale {
	total := o.Ended.Sub(o.Started)
	return scale{o.Started, max(total, 10*time.Millisecond)}
}

// narrowest is the width, in per cent, below which nobody would see a bar.
const narrowest = 0.35

func (s scale) place(from, to time.Time) (left, width float64) {
	left = s.percent(from.Sub(s.start))
	width = math.Max(narrowest, s.percent(to.Sub(s.start))-left)
	if left+width > 100 {
		left = 100 - width
	}
	return math.Max(0, left), width
}

func (s scale) percent(d time.Duration) float64 {
	p := 100 * float64(d) / float64(s.total)
	return math.Round(1000*math.Min(100, math.Max(0, p))) / 1000
}

// ticks are at most eight round moments.
func (s scale) ticks() []tick {
	step := 10 * time.Millisecond
	for _, factor := range []time.Duration{2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 3000, 6000, 12000, 30000, 60000, 90000, 180000, 360000, 8640000} {
		if s.total/step < 8 {
			break
		}
		step = factor * 10 * time.Millisecond
	}
	var out []tick
	for at := time.Duration(0); at <= s.total && len(out) < 64; at += step {
		if p := s.percent(at); p <= 97 {
			out = append(out, tick{At: p, Label: tickLabel(at, step)})
		}
	}
	return out
}

func tickLabel(at, step time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case step < time.Second:
		return fmt.Sprintf("%.*fs", digits(step), at.Seconds())
	case at < time.Minute:
		return fmt.Sprintf("%ds", int(at.Seconds()))
	case at%time.Minute == 0:
		return fmt.Sprintf("%dm", int(at.Minutes()))
	}
	return fmt.Sprintf("%dm%02ds", int(at.Minutes()), int(at.Seconds())%60)
}

func digits(step time.Duration) int {
	if step < 100*time.Millisecond {
		return 2
	}
	return 1
}

// took is a duration as people read it.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute-50*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
}

// plain drops what a container's output may hold besides text: escape
// sequences and characters that neither HTML nor XML allows.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return r
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(ansi.Strip(text), "�"))
}
