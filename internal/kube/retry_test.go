package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pintle-dev/pintle/internal/object"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// answers gives one answer per attempt, the last one again and again.
func answers(all ...func(w http.ResponseWriter)) *wire {
	n := 0
	return &wire{handle: func(w http.ResponseWriter, r *http.Request) {
		if discovery(w, r) {
			return
		}
		answer := all[min(n, len(all)-1)]
		n++
		answer(w)
	}}
}

func status(code int, after string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		refuse(w, code, "", "told so")
	}
}

func fails(err error) func(http.ResponseWriter) { return func(http.ResponseWriter) { panic(err) } }

// cutOff breaks off in the middle of the answer's text.
func cutOff(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"kind":"Status","code":`))
		panic(io.ErrUnexpectedEOF)
	}
}

func ok(w http.ResponseWriter) {
	reply(w, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}})
}

var configMap = object.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "a"}

func manifest() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "ns"},
	}}
}

func TestWhatIsTriedAgain(t *testing.T) {
	tests := map[string]struct {
		answers  []func(http.ResponseWriter)
		create   bool
		attempts int
		failing  bool
		low      time.Duration
		high     time.Duration
	}{
		"get after a reset":              {[]func(http.ResponseWriter){fails(errBroken), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"get after 503":                  {[]func(http.ResponseWriter){status(503, ""), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"get after 504":                  {[]func(http.ResponseWriter){status(504, ""), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"get obeys Retry-After":          {[]func(http.ResponseWriter){status(429, "7"), ok}, false, 2, false, 7 * time.Second, 7 * time.Second},
		"get obeys a 500's Retry-After":  {[]func(http.ResponseWriter){status(500, "3"), ok}, false, 2, false, 3 * time.Second, 3 * time.Second},
		"get after an aborted stream":    {[]func(http.ResponseWriter){fails(errStream), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"not found is final":             {[]func(http.ResponseWriter){status(404, "")}, false, 1, true, 0, 0},
		"forbidden is final":             {[]func(http.ResponseWriter){status(403, "")}, false, 1, true, 0, 0},
		"a webhook's 500 is final":       {[]func(http.ResponseWriter){status(500, "")}, false, 1, true, 0, 0},
		"get gives up after a minute":    {[]func(http.ResponseWriter){status(503, "")}, false, 17, true, 45 * time.Second, time.Minute},
		"get after half a 404":           {[]func(http.ResponseWriter){cutOff(404), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"get after half a 500":           {[]func(http.ResponseWriter){cutOff(500), ok}, false, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"create after half a refusal":    {[]func(http.ResponseWriter){cutOff(409), ok}, true, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"create never after half a 500":  {[]func(http.ResponseWriter){cutOff(500), ok}, true, 1, true, 0, 0},
		"create after a refused dial":    {[]func(http.ResponseWriter){fails(errRefusedDial), ok}, true, 2, false, 50 * time.Millisecond, 150 * time.Millisecond},
		"create after 429":               {[]func(http.ResponseWriter){status(429, "2"), ok}, true, 2, false, 2 * time.Second, 2 * time.Second},
		"create turned away by 503":      {[]func(http.ResponseWriter){status(503, "3"), ok}, true, 2, false, 3 * time.Second, 3 * time.Second},
		"create never after a reset":     {[]func(http.ResponseWriter){fails(errBroken), ok}, true, 1, true, 0, 0},
		"create never after a plain 503": {[]func(http.ResponseWriter){status(503, ""), ok}, true, 1, true, 0, 0},
		"create never after 504":         {[]func(http.ResponseWriter){status(504, ""), ok}, true, 1, true, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := answers(tt.answers...)
				c := w.client(Options{})
				if _, _, err := c.Discover(t.Context()); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				var err error
				if tt.create {
					_, err = c.Create(t.Context(), manifest(), metav1.CreateOptions{})
				} else {
					_, err = c.Get(t.Context(), configMap)
				}
				within(t, time.Since(start), tt.low, tt.high)
				if (err != nil) != tt.failing {
					t.Errorf("error %v", err)
				}
				var refused *object.RequestError
				if err != nil && (!errors.As(err, &refused) || refused.Ref.String() != "ConfigMap/ns/a") {
					t.Errorf("the error does not carry the object: %#v", err)
				}
				got := 0
				for _, r := range withoutDiscovery(w.requests()) {
					if strings.HasPrefix(r, "POST") == tt.create {
						got++
					}
				}
				if tt.attempts > 10 { // jitter decides how many fit
					if got < 10 || got > 40 {
						t.Errorf("%d attempts", got)
					}
				} else if got != tt.attempts {
					t.Errorf("%d attempts, want %d", got, tt.attempts)
				}
			})
		})
	}
}

func TestRefusalThatIsCutOffKeepsItsMeaning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := answers(cutOff(409)).client(Options{})
		if _, err := c.Create(t.Context(), manifest(), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
			t.Errorf("half a 409 to a create is %v", err)
		}
	})
}

func TestServerThatNeverAnsweredIsGivenUpSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{handle: func(http.ResponseWriter, *http.Request) { panic(errRefusedDial) }}
		c := w.client(Options{})
		c.target.Context = "dev"
		start := time.Now()
		_, _, err := c.Discover(t.Context())
		within(t, time.Since(start), time.Second, firstContact)
		var unreachable *UnreachableError
		want := `no cluster reachable at https://api.test:6443 (context "dev"): dial tcp: connect: connection refused`
		if !errors.As(err, &unreachable) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestServerThatIsAwayForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if d := time.Since(start); d > 0 && d < 20*time.Second {
				panic(errRefusedDial)
			}
			if !discovery(w, r) {
				ok(w)
			}
		}}
		c := w.client(Options{})
		if _, _, err := c.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := c.Create(t.Context(), manifest(), metav1.CreateOptions{}); err != nil {
			t.Errorf("create after an outage: %v", err)
		}
		within(t, time.Since(start), 20*time.Second, 28*time.Second)
	})
}

func TestRequestThatHangsIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int32 // each attempt is answered by a goroutine of its own
		w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
			if discovery(w, r) {
				return
			}
			if attempts.Add(1) < leastTries {
				<-r.Context().Done() // a connection that went dead unnoticed
				panic(r.Context().Err())
			}
			ok(w)
		}}
		c := w.client(Options{})
		if _, err := c.Get(t.Context(), configMap); err != nil || attempts.Load() != leastTries {
			t.Errorf("%v after %d attempts", err, attempts.Load())
		}
	})
}

func TestRetryingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := answers(status(503, "")).client(Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Get(ctx, configMap)
		within(t, time.Since(start), 2*time.Second, 2*time.Second)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "told so") {
			t.Errorf("neither the limit nor the last answer: %v", err)
		}
	})
}

func TestApplyRepeatsAStaleWriteButNotAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stale := func(w http.ResponseWriter) {
			refuse(w, 409, metav1.StatusReasonConflict, "the object has been modified")
		}
		c := answers(stale, ok).client(Options{})
		if _, err := c.Apply(t.Context(), manifest(), metav1.PatchOptions{}); err != nil {
			t.Errorf("stale: %v", err)
		}
		w := answers(func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusConflict)
			reply(w, metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status"}, Code: 409, Reason: metav1.StatusReasonConflict,
				Details: &metav1.StatusDetails{Name: "a", Causes: []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict}}},
			})
		})
		_, err := w.client(Options{}).Apply(t.Context(), manifest(), metav1.PatchOptions{FieldManager: "helm", FieldValidation: "Strict"})
		if !apierrors.IsConflict(err) {
			t.Error(err)
		}
		want := "PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=helm&fieldValidation=Strict"
		if got := withoutDiscovery(w.requests()); len(got) != 1 || got[0] != want {
			t.Errorf("requests %q", got)
		}
	})
}

func TestNewCredentialsAreTriedOnce(t *testing.T) {
	c := answers(status(401, ""), ok).client(Options{})
	if _, err := c.Get(t.Context(), configMap); err == nil {
		t.Error("without a plugin, 401 is final")
	}
	c = answers(status(401, ""), ok).client(Options{})
	c.renewable = true
	if _, err := c.Get(t.Context(), configMap); err != nil {
		t.Error(err)
	}
}

func TestWarningsAreHandedOnOnce(t *testing.T) {
	var got []string
	warned := func(w http.ResponseWriter) {
		w.Header().Add("Warning", `299 - "batch/v1beta1 CronJob is \"deprecated\""`)
		ok(w)
	}
	c := answers(warned).client(Options{Warn: func(m string) { got = append(got, m) }})
	for range 2 {
		if _, err := c.Get(t.Context(), configMap); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || got[0] != `batch/v1beta1 CronJob is "deprecated"` {
		t.Errorf("%q", got)
	}
}
