package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// TestAfterTheFirstCollection the runtime collects as it does by itself: what
// runs for long shall not take more than it needs.
func TestAfterTheFirstCollection(t *testing.T) {
	if percent() == untilFirst {
		settle(t) // what this program itself has put off
	}
	before := debug.SetGCPercent(afterwards)
	defer debug.SetGCPercent(before)
	if !start("") {
		t.Fatal("nothing was put off")
	}
	if now := percent(); now != untilFirst {
		t.Fatalf("the heap may grow to %d%%", now)
	}
	settle(t)
}

// settle collects until the first collection has done what it is to do.
func settle(t *testing.T) {
	t.Helper()
	runtime.GC()
	for deadline := time.Now().Add(time.Minute); percent() != afterwards; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the first collection has changed nothing")
		}
		runtime.GC()
	}
}

// TestEnvironmentDecides where it says when to collect.
func TestEnvironmentDecides(t *testing.T) {
	before := percent()
	if start("50") || percent() != before {
		t.Errorf("GOGC is not heeded")
	}
}

func percent() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
