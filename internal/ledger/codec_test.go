package ledger

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/release"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sample is a run with every field set.
func sample(hook string, lines int) Run {
	log := Log{Limits: Limits{Head: 200, Tail: 600}}
	for i := range lines {
		log.Add(Line{Time: noon.Add(time.Duration(i) * 250 * time.Millisecond), Text: fmt.Sprintf("%s says %d: äöü \x1b[1mbold\x1b[0m", hook, i)})
	}
	ref := object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: hook}
	return Run{
		Release: "web", Namespace: "shop", Revision: 3,
		Operation: Operation{ID: "op1", Name: "upgrade", Started: noon.Add(-time.Minute), By: "ann@build"},
		Event:     release.PreUpgrade, Hook: hook, Weight: -5, Suite: "data", Attempt: 2, Object: ref, UID: "uid-1",
		Started: noon, Ended: noon.Add(3 * time.Second), Phase: release.PhaseFailed, Reason: "BackoffLimitExceeded", Message: "it failed",
		Pods: []Pod{{
			Name: hook + "-x", Namespace: "shop", UID: "uid-2", Node: "n1", Phase: "Failed", Reason: "Evicted", Message: "disk",
			Containers: []Container{{
				Name: "main", Init: true, Image: "busybox:1", ImageID: "sha256:1", Restarts: 2, ExitCode: 137, Signal: 9,
				Reason: "OOMKilled", Message: "no memory", Started: noon, Ended: noon.Add(time.Second), Log: log,
			}, {Name: "side", ExitCode: -1}},
		}},
		Events: []ObjectEvent{{Time: noon, Object: ref, Type: "Warning", Reason: "BackOff", Message: "back-off", Count: 3}},
	}
}

// sameLog compares logs by what is stored of them.
var sameLog = cmp.Options{cmp.Comparer(func(a, b Log) bool {
	return a.Lines == b.Lines && a.Bytes == b.Bytes && a.dropped == b.dropped && cmp.Equal(a.head, b.head) && cmp.Equal(a.tail, b.tail)
}), cmpopts.EquateEmpty()}

func TestRoundTrip(t *testing.T) {
	other := sample("check", 0)
	other.Event, other.Phase = release.Test, release.PhaseSucceeded
	later := sample("late", 3)
	later.Operation.ID, later.Ended = "op2", time.Time{}
	runs := []Run{sample("migrate", 100), sample("seed", 2), other, later}
	if log := runs[0].Pods[0].Containers[0].Log; log.Dropped() == 0 || len(log.head) == 0 || len(log.tail) == 0 {
		t.Fatalf("the sample should have a head, a gap and a tail: %+v", log)
	}
	data, err := Encode(runs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runs, got, sameLog); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	parts, err := members(data)
	if err != nil || len(parts) != 3 || !parts[1].Tests || parts[2].Operation.ID != "op2" {
		t.Errorf("the documents are %v, %v", parts, err)
	}
}

func TestDecodeTellsWhatItCannotRead(t *testing.T) {
	good, err := Encode([]Run{sample("migrate", 3)})
	if err != nil {
		t.Fatal(err)
	}
	newer := zipped(`{"version":2,"release":"web","runs":"in another form"}`)
	for name, tc := range map[string]struct {
		data []byte
		runs int
		says string
	}{
		"nothing":        {nil, 0, ""},
		"newer":          {append(bytes.Clone(newer), good...), 1, "newer version"},
		"cut off":        {append(bytes.Clone(good), good[:len(good)/2]...), 1, "damaged"},
		"noise at end":   {append(bytes.Clone(good), "noise"...), 1, "damaged"},
		"not JSON":       {zipped("nonsense"), 0, "damaged"},
		"no version":     {zipped(`{"runs":[]}`), 0, "newer version"},
		"a wrong line":   {zipped(`{"version":1,"runs":[{"pods":[{"containers":[{"log":{"head":[[1]]}}]}]}]}`), 0, "damaged"},
		"too much of it": {zipped(strings.Repeat(" ", maxDecoded+1)), 0, "unpacks to more than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			runs, err := Decode(tc.data)
			if len(runs) != tc.runs || (tc.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%d runs, %v; want %d and %q", len(runs), err, tc.runs, tc.says)
			}
		})
	}
}

func zipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// noise is text that does not compress well.
func noise(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	out := make([]byte, n)
	r := rand.New(rand.NewSource(int64(n)))
	for i := range out {
		out[i] = letters[r.Intn(len(letters))]
	}
	return string(out)
}

func noisy(hook string, size int) Run {
	r := sample(hook, 0)
	log := Log{Limits: Limits{Head: 4 << 10, Tail: size}}
	for i := 0; log.tailSize+1000 < size; i++ {
		log.Add(Line{Time: noon, Text: noise(500 + i%100)})
	}
	r.Pods[0].Containers[0].Log = log
	return r
}

func TestPackStaysBelowTheLimit(t *testing.T) {
	var runs []Run
	for i := range 8 {
		runs = append(runs, noisy(fmt.Sprintf("hook%02d", i), 60<<10))
	}
	runs = append(runs, noisy("huge", 500<<10))
	const limit = 100 << 10
	packed, err := pack(documents(runs)[0], limit)
	if err != nil {
		t.Fatal(err)
	}
	var got []Run
	for _, m := range packed {
		if len(m.raw) > limit {
			t.Errorf("a member has %d bytes", len(m.raw))
		}
		part, err := Decode(m.raw)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
	}
	if diff := cmp.Diff(runs[:8], got[:8], sameLog); diff != "" {
		t.Errorf("runs that fit were changed (-want +got):\n%s", diff)
	}
	before, after := runs[8].Pods[0].Containers[0].Log, got[8].Pods[0].Containers[0].Log
	if after.Lines != before.Lines || after.tailSize == 0 || after.tailSize > limit*2 || after.Last(1)[0] != before.Last(1)[0] ||
		after.Dropped() != after.Lines-len(after.head)-len(after.tail) {
		t.Errorf("the huge log came back with %d lines, %d kept, %d dropped", after.Lines, len(after.head)+len(after.tail), after.Dropped())
	}
}

func TestPackGivesUpOnWhatCannotBeShortened(t *testing.T) {
	r := sample("wordy", 0)
	r.Message = noise(10_000)
	if _, err := pack(documents([]Run{r})[0], 4000); err == nil || !strings.Contains(err.Error(), "more than fit") {
		t.Errorf("got %v", err)
	}
}

// FuzzDecode makes sure that whatever is stored can be read without harm, and
// that what was read can be written and read again.
func FuzzDecode(f *testing.F) {
	good, err := Encode([]Run{sample("migrate", 30), sample("check", 1)})
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range [][]byte{good, good[:len(good)-9], zipped(`{"version":1}`), zipped(`{"version":1,"runs":[{"pods":[{"containers":[{"log":{"start":"x"}}]}]}]}`)} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		runs, _ := Decode(data)
		again, err := Encode(runs)
		if err != nil {
			return // times that JSON cannot hold
		}
		if got, err := Decode(again); err != nil || len(got) != len(runs) {
			t.Errorf("%d runs became %d, %v", len(runs), len(got), err)
		}
	})
}

// TestStoredExample reads a ledger as an earlier Pintle wrote it: what is
// stored must stay readable.
func TestStoredExample(t *testing.T) {
	file := filepath.Join("testdata", "ledger.v1.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := Decode(zipped(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	want := sample("migrate", 3)
	if diff := cmp.Diff([]Run{want}, runs, sameLog); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
