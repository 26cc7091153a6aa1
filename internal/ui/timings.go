package ui

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Timings are where the time of one command went.
type Timings struct {
	// Phases are in the order in which they began.
	Phases []PhaseTiming
	// Requests are those to the API server, the costliest kind first.
	Requests []RequestTiming
	// Total is from the reading of the arguments to the end; CPU is that of the
	// whole process, start-up included; 0 where the system does not tell.
	Total, CPU time.Duration
	// Peak is the most memory that the process has held, in bytes; 0 where the
	// system does not tell.
	Peak int64
}

// PhaseTiming is one phase of an operation, or one block of steps.
type PhaseTiming struct {
	Name string
	Took time.Duration
	// Requests are those that began in it.
	Requests int
}

// RequestTiming is what all requests of one verb and resource took.
type RequestTiming struct {
	Verb, Resource string
	Count, Failed  int
	// Sum adds up requests that ran side by side; Longest is the slowest one.
	Sum, Longest time.Duration
	Bytes        int64
}

// WriteTimings writes two tables for people: phases, then requests.
func WriteTimings(w io.Writer, t Timings) error {
	rows := [][]string{{"PHASE", "TOOK", "REQUESTS"}}
	count := 0
	for _, r := range t.Requests {
		count += r.Count
	}
	for _, p := range t.Phases {
		rows = append(rows, []string{p.Name, millis(p.Took), fmt.Sprint(p.Requests)})
	}
	rows = append(rows, []string{"in all", millis(t.Total), fmt.Sprint(count)})
	var text strings.Builder
	text.WriteString(columns(rows))
	if len(t.Requests) > 0 {
		rows = [][]string{{"REQUEST", "TIMES", "FAILED", "SUM", "LONGEST", "READ"}}
		for _, r := range t.Requests {
			rows = append(rows, []string{
				r.Verb + " " + r.Resource, fmt.Sprint(r.Count), fmt.Sprint(r.Failed), millis(r.Sum), millis(r.Longest), size(r.Bytes),
			})
		}
		text.WriteString("\n" + columns(rows))
	}
	if t.CPU > 0 {
		fmt.Fprintf(&text, "\nCPU %s, memory at most %s\n", millis(t.CPU), size(t.Peak))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d B", n)
	}
}
