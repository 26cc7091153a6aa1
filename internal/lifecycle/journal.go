package lifecycle

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lock"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// journal is how far an operation has come. It is kept in the release's lock,
// so that whoever takes over a lock knows it. Only hooks are told one by one: all other
// steps may be done twice.
type journal struct {
	Version  int `json:"version"`
	Revision int `json:"revision"`
	// By is what the user asked for. The lock that holds the journal may have
	// been another operation's since, which came to nothing.
	By string `json:"by,omitempty"`
	// Step is the one that began last.
	Step string `json:"step,omitempty"`
	// Operation is the one of the ledger that the hooks belong to.
	Operation *ledger.Operation      `json:"operation,omitempty"`
	Hooks     map[string]journalHook `json:"hooks,omitempty"`

	block string
}

// journalHook is one hook's entry, by the id of its step.
type journalHook struct {
	UID string `json:"uid,omitempty"`
	// Attempt is 0 for the first one.
	Attempt int       `json:"attempt,omitempty"`
	Done    bool      `json:"done,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
}

// journalVersion is that of the form; others are not read.
const journalVersion = 1

// readJournal reads what a lock holds; nil when that is nothing that we know.
func readJournal(text string) *journal {
	var j journal
	if text == "" || json.Unmarshal([]byte(text), &j) != nil || j.Version != journalVersion {
		return nil
	}
	return &j
}

// before is what the plan needs to go on.
func (j *journal) before() map[string]plan.HookBefore {
	out := map[string]plan.HookBefore{}
	for id, h := range j.Hooks {
		out[id] = h.before()
	}
	return out
}

func (h journalHook) before() plan.HookBefore {
	return plan.HookBefore{UID: h.UID, Done: h.Done, Started: h.Started, Ended: h.Ended}
}

var _ engine.Journal = (*claim)(nil)

// Begin notes the step, where another block or another hook begins. It holds
// nothing up. Steps that change no object are not worth a request: what they
// write, if anything, tells of itself.
func (c *claim) Begin(s plan.Step) {
	if still(s) {
		return
	}
	_, hook := s.Action.(plan.RunHook)
	anew := false
	c.write((*lock.Held).Remark, func(j *journal) {
		if anew = s.Block != j.block && !hook; anew || hook {
			j.Step, j.block = s.ID, s.Block
		}
	})
	if anew {
		c.hurry() // that a hook begins is stored with what it makes
	}
}

// Made notes what a hook created, so that it can be joined.
func (c *claim) Made(s plan.Step, run ledger.Run) {
	if hook, ok := s.Action.(plan.RunHook); !ok || !engine.Ends(object.RefOf(hook.Object)) {
		return
	}
	c.write((*lock.Held).Remark, func(j *journal) {
		made := journalHook{UID: run.UID}
		if run.Attempt > 1 {
			made.Attempt = run.Attempt
		}
		j.Operation, j.Hooks[s.ID] = &run.Operation, made
	})
	c.hurry()
}

// Succeeded notes that a hook need not run again, before anything else is
// changed: its object may be deleted next. Where the object itself will tell
// whoever goes on, only a deletion waits for the note (see settle): it is not on
// the way from one hook to the next.
func (c *claim) Succeeded(s plan.Step, run release.Execution, uid string) {
	keep, now := (*lock.Held).Journal, true
	if held := c.lock(); held != nil && tells(s) && strings.Contains(held.Journaled(), uid) {
		keep, now = (*lock.Held).Remark, false // it is stored with what the next hook makes
		c.mu.Lock()
		c.unsettled = true
		c.mu.Unlock()
	}
	c.write(keep, func(j *journal) {
		j.Hooks[s.ID] = journalHook{UID: uid, Attempt: j.Hooks[s.ID].Attempt, Done: true, Started: run.StartedAt, Ended: run.CompletedAt}
	})
	if now {
		c.hurry()
	}
}

// settle makes the next change wait for what was noted of hooks.
func (c *claim) settle() {
	c.mu.Lock()
	unsettled := c.unsettled
	c.unsettled = false
	c.mu.Unlock()
	if unsettled {
		c.write((*lock.Held).Journal, func(*journal) {})
		c.hurry()
	}
}

// tells reports whether the object of a hook that has succeeded stays, and says
// so: a Job or a Pod that nothing removes by itself.
func tells(s plan.Step) bool {
	hook, ok := s.Action.(plan.RunHook)
	if !ok || !engine.Ends(object.RefOf(hook.Object)) {
		return false
	}
	_, vanishes, _ := unstructured.NestedFieldNoCopy(hook.Object.Object, "spec", "ttlSecondsAfterFinished")
	return !vanishes
}

// still tells steps that change no object of the cluster, and the one that
// reads what the journal of a dead run says: that stays until it has.
func still(s plan.Step) bool {
	switch a := s.Action.(type) {
	case plan.Await:
		return a.Goal == plan.UntilEnded
	case plan.WriteRecord, plan.Keep:
		return true
	case plan.Apply:
		return a.Change == plan.Unchanged
	}
	return false
}

// hurry has the journal stored while the operation goes on.
func (c *claim) hurry() {
	if held := c.lock(); held != nil {
		held.Hurry()
	}
}

// write changes the journal and has the lock keep it.
func (c *claim) write(keep func(*lock.Held, string), change func(*journal)) {
	held := c.lock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil || c.journal.Revision != c.intent.Revision {
		c.journal = &journal{Version: journalVersion, Revision: c.intent.Revision, By: c.intent.Operation}
	}
	if c.journal.Hooks == nil {
		c.journal.Hooks = map[string]journalHook{}
	}
	change(c.journal)
	if text, err := json.Marshal(c.journal); err == nil && held != nil { // plain text and times always have a JSON form
		keep(held, string(text))
	}
}

// continues makes the journal of a dead run our own.
func (c *claim) continues(j *journal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.journal = j
}
