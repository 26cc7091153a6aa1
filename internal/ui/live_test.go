package ui

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/event"
	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
)

// screen is as much of a terminal as the live view uses: text, newline,
// carriage return, cursor up, erase line, erase below. Long lines wrap, and
// wrap anew when the width changes, as most terminals do.
type screen struct {
	mu    sync.Mutex
	width int
	// height is how far back the cursor reaches; 0 is without end.
	height int
	rows   [][]rune
	// goesOn marks rows that continue on the next one.
	goesOn map[int]bool
	y, x   int
	writes int
}

func newScreen(width int) *screen {
	return &screen{width: width, rows: [][]rune{nil}, goesOn: map[int]bool{}}
}

// resize wraps everything anew. The cursor stays at the end, where the view leaves it.
func (s *screen) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, goesOn := s.rows, s.goesOn
	s.width, s.rows, s.goesOn, s.y, s.x = width, [][]rune{nil}, map[int]bool{}, 0, 0
	for i, row := range rows {
		for _, r := range row {
			s.put(r)
		}
		if !goesOn[i] && i < len(rows)-1 {
			s.down()
		}
	}
}

func (s *screen) columns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width
}

// lower gives the window so many rows.
func (s *screen) lower(height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.height = height
}

func (s *screen) lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.height
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	text := []rune(string(p))
	for i := 0; i < len(text); i++ {
		switch r := text[i]; r {
		case '\n':
			s.down()
		case '\r':
			s.x = 0
		case '\x1b':
			end := i + 2
			for text[end] < '@' {
				end++
			}
			s.control(string(text[i+2 : end+1]))
			i = end
		default:
			s.put(r)
		}
	}
	return len(p), nil
}

func (s *screen) down() {
	s.y, s.x = s.y+1, 0
	if s.y == len(s.rows) {
		s.rows = append(s.rows, nil)
	}
}

func (s *screen) put(r rune) {
	if s.x == s.width {
		s.goesOn[s.y] = true
		s.down()
	}
	for len(s.rows[s.y]) <= s.x {
		s.rows[s.y] = append(s.rows[s.y], ' ')
	}
	s.rows[s.y][s.x] = r
	s.x++
}

func (s *screen) control(sequence string) {
	switch {
	case sequence == "A":
		s.y--
		if s.height > 0 { // what has left the window at its top is out of reach
			s.y = max(s.y, len(s.rows)-s.height)
		}
		if s.y < 0 {
			panic("the cursor left the screen")
		}
	case sequence == "2K":
		s.rows[s.y] = nil
		delete(s.goesOn, s.y)
	case sequence == "J":
		s.rows = append(s.rows[:s.y], nil)
	case strings.HasSuffix(sequence, "m"):
	default:
		panic("unknown sequence " + sequence)
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, row := range s.rows {
		b.WriteString(strings.TrimRight(string(row), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// film plays events to a live view and takes a picture whenever asked.
type film struct {
	*story
	view   *Live
	screen *screen
	sent   int
	out    strings.Builder
}

// picture shows the screen as it is a moment after all events so far.
func (f *film) picture(title string) {
	for ; f.sent < len(f.events); f.sent++ {
		f.view.Sink(f.events[f.sent])
	}
	time.Sleep(frame + frame/2)
	synctest.Wait()
	fmt.Fprintf(&f.out, "=== %s\n%s", title, f.screen.text())
}

// pass lets time pass for the story and for the view.
func (f *film) pass(d time.Duration) {
	time.Sleep(time.Until(f.now.Add(d)))
	f.wait(d)
}

func newFilm(s *story, width int, opts Options) *film {
	// The story tells the time of the bubble, which the view reads.
	s.now = time.Now()
	screen := newScreen(width)
	streams := Streams{Out: screen, IsTerminal: true, Width: screen.columns, Height: screen.lines}
	return &film{story: s, screen: screen, view: NewLive(streams, opts)}
}

func TestLive(t *testing.T) {
	for _, width := range []int{100, 40} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				golden(t, fmt.Sprintf("live-%d", width), liveInstall(width))
			})
		})
	}
}

func liveInstall(width int) string {
	hook, apply := "pre-install/Job/storefront-migrate-1", "apply/Deployment/storefront-web"
	f := newFilm(newStory(plan.Install, hookStep(release.PreInstall, migrate), applyStep(web), waitStep(web, ref("StatefulSet", "db"), ref("ConfigMap", "x"))), width, DefaultOptions())
	f.start(hook)
	f.picture("a hook begins")
	f.pass(time.Second)
	for i := range 5 {
		f.log(hook, "storefront-migrate-1", fmt.Sprintf("applying %03d.sql", i))
	}
	f.picture("its last log lines show")
	f.pass(time.Second)
	f.observe(hook, migrate, health.Status{Reason: "ImagePullBackOff", Patience: health.Limited, Message: `the image "web:1" cannot be pulled: no such image or tag in the registry`})
	f.picture("trouble shows")
	f.pass(2 * time.Second)
	f.finish(hook, event.Done, "")
	f.do(apply, 0, event.Done, "created")
	f.start("wait/ready")
	f.observe("wait/ready", ref("StatefulSet", "db"), rolling("0 of 1 replicas ready"))
	f.observe("wait/ready", web, rolling("0 of 2 replicas ready"))
	f.picture("two objects are awaited")
	f.screen.resize(60)
	f.pass(3 * time.Second)
	f.observe("wait/ready", web, health.Status{State: health.Ready})
	f.picture("the window is now 60 wide; one is ready")
	f.observe("wait/ready", ref("StatefulSet", "db"), health.Status{State: health.Ready})
	f.picture("settling")
	f.pass(4 * time.Second)
	f.finish("wait/ready", event.Done, "")
	f.add(event.PlanFinished{Plan: f.plan, Took: 4 * time.Second, Time: f.now})
	f.picture("done")
	f.view.Close()
	f.picture("closed")
	return f.out.String()
}

// TestLiveInALowWindow: a window with room for few lines is not flooded by what
// cannot be replaced.
func TestLiveInALowWindow(t *testing.T) {
	for _, height := range []int{2, 4, 6, 9} {
		t.Run(fmt.Sprint(height), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := "pre-install/Job/storefront-migrate-1", "post-install/Job/storefront-migrate-1"
				f := newFilm(newStory(plan.Install, hookStep(release.PreInstall, migrate), hookStep(release.PostInstall, migrate)), 80, DefaultOptions())
				f.screen.lower(height)
				f.start(one)
				f.start(two)
				for i := range 20 {
					f.log(one, "storefront-migrate-1", fmt.Sprintf("first %d", i))
					f.log(two, "storefront-migrate-1", fmt.Sprintf("second %d", i))
					f.pass(time.Second)
				}
				f.picture("at work")
				rows := strings.Split(f.screen.text(), "\n")
				if len(rows) > 1+height || height > 2 && strings.Count(f.screen.text(), "running") != 2 {
					t.Errorf("%d rows:\n%s", len(rows), f.screen.text())
				}
				f.view.Close()
				if got, want := f.screen.text(), "install        storefront                revision 1, namespace shop\n"; got != want {
					t.Errorf("at the end:\n%s", got)
				}
			})
		})
	}
}

// TestPodsOfOneHook: a Job with several pods at once has a name for each.
func TestPodsOfOneHook(t *testing.T) {
	n, b := newNarrator(Options{Logs: LogsAlways}, false), newBoard(DefaultOptions())
	s := newStory(plan.Install, hookStep(release.PreInstall, migrate))
	id := "pre-install/Job/storefront-migrate-1"
	s.start(id)
	var got []string
	for _, e := range s.events {
		n.tell(e)
		b.take(e)
	}
	say := func(pod, text string) {
		e := event.LogLine{StepID: id, Hook: "migrate", Pod: pod, Container: "main", Line: ledger.Line{Text: text}}
		for _, l := range n.tell(e) {
			got = append(got, l.raw)
		}
		b.take(e)
	}
	say("migrate-abcde", "one")
	say("migrate-fghij", "two")
	say("migrate-abcde", "three")
	if live := strings.Join(b.rows[id].log, "; "); live != "main | one; fghij/main | two; main | three" {
		t.Errorf("live: %s", live)
	}
	again := event.RunFinished{StepID: id, Run: ledger.Run{Attempt: 1}}
	n.tell(again)
	b.take(again)
	say("migrate-klmno", "four")
	if want := "[migrate/main] one; [migrate-fghij/main] two; [migrate/main] three; [migrate/main] four"; strings.Join(got, "; ") != want {
		t.Errorf("got %s", strings.Join(got, "; "))
	}
}

// TestLiveCloses: Close leaves the last lines, no live ones, and no goroutine
// (synctest fails when one is left), and events afterwards do no harm.
func TestLiveCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(newStory(plan.Install, hookStep(release.PreInstall, migrate)), 80, DefaultOptions())
		f.start("pre-install/Job/storefront-migrate-1")
		f.picture("running")
		f.view.Close()
		f.view.Close()
		f.view.Sink(event.PlanFinished{Plan: f.plan})
		if got, want := f.screen.text(), "install        storefront                revision 1, namespace shop\n"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestLiveRests: a screen on which nothing changes is not written again.
func TestLiveRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(newStory(plan.Install), 80, DefaultOptions())
		f.picture("begun")
		before := f.screen.writes
		time.Sleep(10 * frame)
		synctest.Wait()
		if f.screen.writes != before {
			t.Errorf("%d writes without a change", f.screen.writes-before)
		}
		f.view.Close()
	})
}

// stuck is a reader that takes nothing until it is let go.
type stuck struct {
	free chan struct{}
	text strings.Builder
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.text.Write(p)
}

// TestSinkNeverBlocks: a reader that does not read holds nothing up, log
// lines beyond the backlog are dropped and counted, and no other event is.
func TestSinkNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{free: make(chan struct{})}
		v := NewPlain(Streams{Out: out}, Options{Logs: LogsAlways})
		s := newStory(plan.Install, hookStep(release.PreInstall, migrate))
		v.Sink(s.events[0])
		synctest.Wait() // the view is now stuck in its first write
		id := "pre-install/Job/storefront-migrate-1"
		for i := range logBacklog + 7 {
			v.Sink(event.LogLine{StepID: id, Hook: "h", Container: "c", Line: ledger.Line{Text: fmt.Sprint(i)}})
		}
		v.Sink(event.PlanFinished{Plan: s.plan})
		close(out.free)
		v.Close()
		text := out.text.String()
		if !strings.Contains(text, "... 7 log lines not shown") || !strings.Contains(text, "done") {
			t.Errorf("the end is missing: %s", text[max(0, len(text)-300):])
		}
		if n := strings.Count(text, "[h/c]"); n != logBacklog {
			t.Errorf("%d log lines, want %d", n, logBacklog)
		}
	})
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0s", -time.Second: "0.0s", 1240 * time.Millisecond: "1.2s", 59940 * time.Millisecond: "59.9s",
		59960 * time.Millisecond: "1m00s", 65 * time.Second: "1m05s", time.Hour - time.Millisecond: "60m00s", 62 * time.Minute: "1h02m",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%s) = %s, want %s", d, got, want)
		}
	}
}
