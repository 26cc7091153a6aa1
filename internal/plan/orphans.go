package plan

// orphans awaits the end of what hooks of dead runs have left running, before
// anything else of ours runs: two migrations side by side are worse than a wait.
// Where no hook runs there is nothing that they could meet.
func (b *builder) orphans(hooks bool) {
	if !hooks || len(b.in.Orphans) == 0 || len(b.in.Hooks) == 0 {
		return
	}
	reason := "hooks of a run that is gone are still at work"
	if b.in.Options.StopOrphans {
		reason += "; stopped as asked for with --stop-orphans"
	}
	b.alone(Step{
		ID: "orphans", Block: BlockPrepare, Reason: reason,
		Action: Await{Goal: UntilEnded, Objects: b.in.Orphans, Stop: b.in.Options.StopOrphans, Timeout: b.in.Options.Timeout},
	})
}
