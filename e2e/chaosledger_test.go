package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// hookPod is a hook's pod that ran.
type hookPod struct {
	// job is the name of its Job, uid that Job's UID.
	job, uid string
	// lost tells that its Job was gone before the next command came: nobody can
	// know more of it than what had been noted.
	lost bool
	// cut tells that its container was killed so early that it need not have
	// said anything.
	cut bool
}

// early is what a shell on a busy node may take until it says its first word.
const early = 2 * time.Second

// killedEarly tells that a pod's container was killed before it had its time; what
// was known before holds for a pod that says nothing of its container any more.
func killedEarly(pod *unstructured.Unstructured, before bool) bool {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	for _, s := range statuses {
		end, ended, _ := unstructured.NestedMap(s.(map[string]any), "state", "terminated")
		if !ended {
			continue
		}
		code, _, _ := unstructured.NestedInt64(end, "exitCode")
		started, _, _ := unstructured.NestedString(end, "startedAt")
		finished, _, _ := unstructured.NestedString(end, "finishedAt")
		from, err1 := time.Parse(time.RFC3339, started)
		to, err2 := time.Parse(time.RFC3339, finished)
		return code != 0 && (err1 != nil || err2 != nil || to.Sub(from) < early)
	}
	return before
}

// goneJobs are the UIDs of Jobs that had pods and that are not there any more, or
// on their way out.
func (s *scene) goneJobs(t *testing.T) map[string]bool {
	t.Helper()
	gone := map[string]bool{}
	for _, pod := range s.hooks.thatRan() {
		gone[pod.uid] = true
	}
	for _, job := range s.objectsOf(t, schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}, "") {
		if job.GetDeletionTimestamp() == nil {
			delete(gone, string(job.GetUID()))
		}
	}
	return gone
}

// lose notes that Jobs are gone.
func (h *hookWatch) lose(jobs map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, pod := range h.ran {
		pod.lost = jobs[pod.uid]
		h.ran[name] = pod
	}
}

// thatRan are all pods that ran, by name.
func (h *hookWatch) thatRan() map[string]hookPod {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.ran)
}

// checkLedger holds the ledger to knowing every hook's pod that ever ran, with
// what it said; of one whose Job was deleted by a run that was killed before it
// had noted that, the run at least.
func (s *scene) checkLedger(t *testing.T, fail func(string, ...any), out string) {
	t.Helper()
	told, err := s.toldOf(t)
	if err != nil {
		fail("the ledger cannot be read: %v", err)
		return
	}
	for name, pod := range s.hooks.thatRan() {
		says := strings.TrimPrefix(pod.job, "web-")
		log, known := told.logs[name]
		switch {
		case told.runs[pod.uid] == 0:
			fail("the ledger does not tell of a run of %s (pod %s)\n%s", pod.job, name, out)
		case told.runs[pod.uid] > 1:
			fail("the ledger tells %d times of one run of %s\n%s", told.runs[pod.uid], pod.job, out)
		case !known && !pod.lost:
			fail("the ledger does not know pod %s of %s\n%s", name, pod.job, out)
		case known && len(log) == 0 && pod.cut:
		case known && !slices.Contains(log, says):
			fail("of pod %s the ledger has the log %q, without %q\n%s", name, log, says, out)
		}
	}
}

// tale is what all ledgers of a namespace tell: how many runs there are by the UID
// of their Job, and the lines of pods by name.
type tale struct {
	runs map[string]int
	logs map[string][]string
}

// toldOf reads all ledgers as docs/formats/ledger.md says that they can be read.
func (s *scene) toldOf(t *testing.T) (tale, error) {
	t.Helper()
	out := tale{runs: map[string]int{}, logs: map[string][]string{}}
	for _, part := range s.objectsOf(t, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "owner=pintle,kind=ledger") {
		packed, _, _ := unstructured.NestedString(part.Object, "data", "ledger")
		raw, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			return out, err
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return out, err
		}
		if err := out.read(stdjson.NewDecoder(unpacked)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// toldRun is what a run in a ledger must have, as far as it is looked at here.
type toldRun struct {
	UID  string `json:"uid"`
	Pods []struct {
		Name       string `json:"name"`
		Containers []struct {
			Log struct {
				Head [][2]any `json:"head"`
				Tail [][2]any `json:"tail"`
			} `json:"log"`
		} `json:"containers"`
	} `json:"pods"`
}

func (o tale) read(documents *stdjson.Decoder) error {
	for {
		var d struct {
			Runs []toldRun `json:"runs"`
		}
		err := documents.Decode(&d)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range d.Runs {
			o.runs[r.UID]++
			for _, p := range r.Pods {
				lines := []string{}
				for _, c := range p.Containers {
					for _, l := range slices.Concat(c.Log.Head, c.Log.Tail) {
						text, _ := l[1].(string)
						lines = append(lines, text)
					}
				}
				o.logs[p.Name] = lines
			}
		}
	}
}
