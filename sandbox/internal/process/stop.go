package process

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// pollInterval is how often the end of a process that is not our child is looked
// for: the kernel tells only parents.
const pollInterval = 10 * time.Millisecond

// Stop asks the process to end, gives it grace to do so, and then kills it. It
// returns when the process has ended, or with an error when ctx ends first.
func Stop(ctx context.Context, id ID, grace time.Duration) error {
	if grace > 0 {
		if err := id.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		timed, cancel := context.WithTimeout(ctx, grace)
		err := Await(timed, []ID{id})
		cancel()
		if err == nil {
			return nil
		}
	}
	if err := id.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return Await(ctx, []ID{id})
}

// KillAll kills what find returns, again and again until it returns nothing:
// what is being killed may be starting others. It gives up when ctx ends.
func KillAll(ctx context.Context, find func() ([]ID, error)) error {
	for {
		ids, err := find()
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nil
		}
		for _, id := range ids {
			if err := id.Signal(syscall.SIGKILL); err != nil {
				return err
			}
		}
		if err := Await(ctx, ids); err != nil {
			return err
		}
	}
}

// Await returns when all of ids have ended, or with an error naming those that
// have not when ctx ends.
func Await(ctx context.Context, ids []ID) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		var left []int
		for _, id := range ids {
			if id.Alive() {
				left = append(left, id.PID)
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for processes %v to end: %w", left, ctx.Err())
		case <-ticker.C:
		}
	}
}
