package kube

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestEachLine(t *testing.T) {
	const at = "2026-11-23T15:00:00.123456789Z "
	long := strings.Repeat("é", longestLine) // twice as many bytes
	tests := map[string]struct {
		in   string
		want []string
	}{
		"nothing":                 {"", nil},
		"lines":                   {at + "one\n" + at + "two\n", []string{"one", "two"}},
		"no newline at the end":   {at + "one\n" + at + "two", []string{"one", "two"}},
		"an empty line":           {at + "\n", []string{""}},
		"spaces are kept":         {at + "  a b \n", []string{"  a b "}},
		"carriage returns go":     {at + "a\r\n", []string{"a"}},
		"text without a time":     {"unable to read\n", []string{"unable to read"}},
		"a long line is split up": {at + long + "\n" + at + "next\n", []string{"", "", "", "next"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			whole := ""
			if err := eachLine(strings.NewReader(tt.in), func(l ledger.Line) {
				if len(l.Text) > longestLine {
					t.Errorf("a line of %d bytes", len(l.Text))
				}
				if strings.HasPrefix(tt.in, at) && l.Time.Nanosecond() != 123456789 {
					t.Errorf("time %v", l.Time)
				}
				if strings.HasPrefix(l.Text, "é") {
					whole += l.Text
					l.Text = ""
				}
				got = append(got, l.Text)
			}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if whole != "" && whole != long {
				t.Error("the pieces do not make the line")
			}
		})
	}
}

func TestEachLineDropsWhatBrokeOff(t *testing.T) {
	r := io.MultiReader(strings.NewReader("2026-11-23T15:00:00Z one\n2026-11-23T15:00:01Z tw"), brokenReader{})
	var got []string
	err := eachLine(r, func(l ledger.Line) { got = append(got, l.Text) })
	if err == nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// container is one container's log and state, as kubelet and API server show it.
type container struct {
	pods *pods

	mu      sync.Mutex
	lines   []string
	changed chan struct{}
	cut     chan struct{}
	// ended ends a follow; slow lets the kubelet notice it a second late.
	ended   bool
	asked   []string
	refusal func(w http.ResponseWriter) bool
}

func newContainer() *container {
	return &container{pods: newPods(), changed: make(chan struct{}), cut: make(chan struct{})}
}

// say writes a line with the present time.
func (c *container) say(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, time.Now().UTC().Format(time.RFC3339Nano)+" "+text)
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *container) breakOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.cut)
	c.cut = make(chan struct{})
}

// state sets what the API says: waiting, running or terminated.
func (c *container) state(phase, state string, restarts int) {
	c.pods.set("p", "1", phase, false)
	c.pods.mu.Lock()
	defer c.pods.mu.Unlock()
	status := c.pods.live["p"]["status"].(map[string]any)
	status["containerStatuses"] = []any{map[string]any{
		"name": "main", "restartCount": restarts, "state": map[string]any{state: map[string]any{}},
	}}
}

func (c *container) serve(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/pods/p/log") {
		c.pods.serve(w, r)
		return
	}
	q := r.URL.Query()
	c.mu.Lock()
	c.asked = append(c.asked, strings.TrimPrefix(r.URL.RawQuery, "container=main&"))
	refusal := c.refusal
	c.mu.Unlock()
	if refusal != nil && refusal(w) {
		return
	}
	since, _ := time.Parse(time.RFC3339, q.Get("sinceTime"))
	for n := 0; ; {
		c.mu.Lock()
		lines, changed, cut, ended := c.lines[n:], c.changed, c.cut, c.ended
		n = len(c.lines)
		c.mu.Unlock()
		for _, line := range lines {
			stamp, _, _ := strings.Cut(line, " ")
			if at, _ := time.Parse(time.RFC3339Nano, stamp); !at.Before(since) {
				fmt.Fprintln(w, line)
			}
		}
		if q.Get("follow") == "" || ended {
			return
		}
		select {
		case <-changed:
		case <-cut:
			panic(errBroken)
		case <-r.Context().Done():
			return
		}
	}
}

// followed runs Follow in the background.
type followed struct {
	mu    sync.Mutex
	lines []string
	took  time.Duration
	err   error
	done  bool
}

func (c *container) follow(t *testing.T, client *Client) *followed {
	f := &followed{}
	start := time.Now()
	go func() {
		err := client.Follow(t.Context(), object.Ref{Version: "v1", Kind: "Pod", Namespace: "ns", Name: "p"}, "main", func(l ledger.Line) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.lines = append(f.lines, l.Text)
		})
		f.mu.Lock()
		defer f.mu.Unlock()
		f.err, f.done, f.took = err, true, time.Since(start)
	}()
	return f
}

func (f *followed) expect(t *testing.T, done bool, lines ...string) {
	t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if diff := cmp.Diff(lines, f.lines); diff != "" || f.err != nil || f.done != done {
		t.Errorf("done %v, error %v\n%s", f.done, f.err, diff)
	}
}

func TestFollowFromTheFirstLineToTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		c.say("early")
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		f.expect(t, false, "early")
		c.say("late")
		f.expect(t, false, "early", "late")
		c.state("Succeeded", "terminated", 0)
		c.ended = true
		c.say("last")
		f.expect(t, true, "early", "late", "last")
	})
}

func TestFollowEndsWithWhatAWatchSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		client := (&wire{handle: c.serve}).client(Options{})
		if seen, err := client.Watch(t.Context(), []object.Target{allPods}); err != nil {
			t.Fatal(err)
		} else {
			tell(seen)
		}
		f := c.follow(t, client)
		c.say("one")
		f.expect(t, false, "one")
		c.mu.Lock() // the kubelet wrote the last line and keeps the stream open
		c.lines = append(c.lines, time.Now().UTC().Format(time.RFC3339Nano)+" two")
		c.mu.Unlock()
		c.state("Succeeded", "terminated", 0)
		f.expect(t, true, "one", "two")
		if f.took != 0 {
			t.Errorf("it took %v", f.took)
		}
	})
}

func TestFollowTakesABrokenStreamUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		var want []string
		for i := range 40 {
			line := fmt.Sprint("line ", i/2) // every line twice, at the same moment
			if i%2 == 0 {
				time.Sleep(130 * time.Millisecond)
			}
			c.say(line)
			want = append(want, line)
			if i%7 == 3 {
				c.breakOff()
			}
		}
		time.Sleep(time.Second)
		f.expect(t, false, want...)
		c.state("Succeeded", "terminated", 0)
		c.ended = true
		c.say("end")
		time.Sleep(3 * time.Second)
		f.expect(t, true, append(want, "end")...)
	})
}

func TestFollowThatEndsInTheMiddleOfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		c.say("whole and torn")
		torn := false
		c.refusal = func(w http.ResponseWriter) bool {
			if torn {
				return false
			}
			torn = true
			_, _ = io.WriteString(w, strings.TrimSuffix(c.lines[0], "and torn"))
			return true
		}
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		time.Sleep(2 * time.Second)
		f.expect(t, false, "whole and torn")
	})
}

func TestTheRestOfALogOutlastsAnOutage(t *testing.T) {
	tests := map[string]func(http.ResponseWriter){
		"nothing listens": fails(errRefusedDial), "the server is busy": status(429, "2"), "a stream is aborted": fails(errStream),
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newContainer()
				c.state("Succeeded", "terminated", 0)
				c.say("the only line")
				start := time.Now()
				c.refusal = func(w http.ResponseWriter) bool {
					away := time.Since(start) < 20*time.Second
					if away {
						answer(w)
					}
					return away
				}
				client := (&wire{handle: c.serve}).client(Options{})
				if seen, err := client.Watch(t.Context(), []object.Target{allPods}); err != nil {
					t.Fatal(err)
				} else {
					tell(seen)
				}
				f := c.follow(t, client)
				time.Sleep(40 * time.Second)
				f.expect(t, true, "the only line")
			})
		})
	}
}

func TestFollowWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		c.say("one")
		var asked atomic.Int64
		c.refusal = func(w http.ResponseWriter) bool {
			if asked.Add(1) > 1 {
				return false
			}
			status(429, "9")(w)
			return true
		}
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		time.Sleep(9*time.Second - 1)
		f.expect(t, false)
		if asked.Load() != 1 {
			t.Errorf("%d requests before the time was over", asked.Load())
		}
		time.Sleep(time.Second)
		f.expect(t, false, "one")
	})
}

func TestFollowWaitsForTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Pending", "waiting", 0)
		starting := true
		c.refusal = func(w http.ResponseWriter) bool {
			if starting {
				refuse(w, 400, metav1.StatusReasonBadRequest, `container "main" in pod "p" is waiting to start: ContainerCreating`)
			}
			return starting
		}
		w := &wire{handle: c.serve}
		f := c.follow(t, w.client(Options{}))
		time.Sleep(20 * time.Second)
		f.expect(t, false)
		if n := len(withoutDiscovery(w.requests())); n > 4 {
			t.Errorf("%d requests while waiting", n)
		}
		starting = false
		c.state("Running", "running", 0)
		c.say("hello")
		f.expect(t, false, "hello")
		c.state("Succeeded", "terminated", 0)
		c.ended = true
		c.say("bye")
		time.Sleep(2 * time.Second)
		f.expect(t, true, "hello", "bye")
	})
}

func TestFollowReadsOneLifeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		client := (&wire{handle: c.serve}).client(Options{})
		if seen, err := client.Watch(t.Context(), []object.Target{allPods}); err != nil {
			t.Fatal(err)
		} else {
			tell(seen)
		}
		f := c.follow(t, client)
		c.say("first life")
		f.expect(t, false, "first life")
		c.mu.Lock()
		c.refusal = func(w http.ResponseWriter) bool {
			fmt.Fprintln(w, time.Now().UTC().Format(time.RFC3339Nano)+" its last words")
			return true
		}
		c.mu.Unlock()
		c.state("Running", "running", 1)
		f.expect(t, true, "first life", "its last words")
		c.mu.Lock()
		defer c.mu.Unlock()
		if last := c.asked[len(c.asked)-1]; !strings.Contains(last, "previous=true") {
			t.Errorf("asked for %q", last)
		}
	})
}

func TestFollowOfAPodThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.refusal = func(w http.ResponseWriter) bool {
			refuse(w, 404, metav1.StatusReasonNotFound, "no such pod")
			return true
		}
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		f.expect(t, true)
	})
}

// TestFollowTakesNoExcuseForALog: a kubelet that has the log no more says so in
// place of it, as if the container had.
func TestFollowTakesNoExcuseForALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newContainer()
		c.state("Running", "running", 0)
		f := c.follow(t, (&wire{handle: c.serve}).client(Options{}))
		c.say("the last line")
		f.expect(t, false, "the last line")
		c.mu.Lock()
		c.refusal = func(w http.ResponseWriter) bool {
			fmt.Fprint(w, "unable to retrieve container logs for containerd://07ecd576181523d831b9a78c")
			return true
		}
		c.mu.Unlock()
		c.state("Failed", "terminated", 0)
		c.breakOff()
		time.Sleep(5 * time.Second)
		f.expect(t, true, "the last line")
	})
}

func TestReplayIsBounded(t *testing.T) {
	var r replay
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	line := func(i int) ledger.Line {
		return ledger.Line{Time: at.Add(time.Duration(i) * time.Microsecond), Text: fmt.Sprint(i)}
	}
	for i := range 3 * mostLines {
		if !r.isNew(line(i)) {
			t.Fatal("a new line was dropped")
		}
	}
	if len(r.said) > mostLines {
		t.Errorf("%d lines kept", len(r.said))
	}
	since, ok := r.begin()
	if !ok || !since.Equal(at) {
		t.Errorf("goes on at %v", since)
	}
	for i := range 3 * mostLines {
		if r.isNew(line(i)) {
			t.Fatalf("line %d was repeated", i)
		}
	}
	if !r.isNew(line(3 * mostLines)) {
		t.Error("the next line was dropped")
	}
}

func TestTailReadsThePreviousLife(t *testing.T) {
	w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("previous") == "true" {
			fmt.Fprintln(w, "2026-11-23T15:00:00Z panic: boom")
		}
	}}
	lines, err := w.client(Options{}).Tail(t.Context(), object.Ref{Version: "v1", Kind: "Pod", Namespace: "ns", Name: "p"}, "main", 5)
	if err != nil || len(lines) != 1 || lines[0].Text != "panic: boom" {
		t.Error(lines, err)
	}
}
