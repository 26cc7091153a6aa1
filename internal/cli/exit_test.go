package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/object"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func failed(cause error) *lifecycle.Failed {
	f := &lifecycle.Failed{Operation: plan.Upgrade, Release: "web"}
	if cause != nil {
		f.Cause = &engine.Failure{Err: cause}
	}
	return f
}

func rolledBack(cause error, state lifecycle.RollbackState) *lifecycle.Failed {
	f := failed(cause)
	f.Rollback, f.RollbackErr = state, errors.New("no")
	return f
}

func stopped() *lifecycle.Failed {
	f := rolledBack(fmt.Errorf("%w: %w", engine.ErrInterrupted, hookFailed(release.PreUpgrade)), lifecycle.RolledBack)
	f.Interrupted = true
	return f
}

func late() *lifecycle.Failed {
	f := failed(fmt.Errorf("%w: %w", engine.ErrInterrupted, hookFailed(release.PreUpgrade)))
	f.Deadline = time.Minute
	return f
}

func hookFailed(on release.Event) error {
	return &engine.HookError{Run: ledger.Run{Event: on, Object: object.Ref{Group: "batch", Version: "v1", Kind: "Job", Namespace: "shop", Name: "migrate"}}}
}

func forbidden() error {
	return &object.RequestError{
		Verb: "list", Ref: object.Ref{Version: "v1", Kind: "secrets", Namespace: "shop"},
		Err: apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("you may not")),
	}
}

func TestExitCodes(t *testing.T) {
	problem := diag.Problem{Summary: "the chart is wrong"}
	unreachable := &kube.UnreachableError{Err: errors.New("connection refused")}
	tests := []struct {
		name string
		err  error
		sig  os.Signal
		want int
	}{
		{"done", nil, nil, 0},
		{"done although a signal came", nil, syscall.SIGINT, 0},
		{"anything", errors.New("disk full"), nil, 1},
		{"no such release to show", &lifecycle.NoReleaseError{Name: "web"}, nil, 1},
		{"unreachable", unreachable, nil, 1},
		{"unreachable while gathering", &lifecycle.Refused{Err: unreachable}, nil, 1},
		{"a step failed", failed(errors.New("conflict")), nil, 1},
		{"a step was forbidden", failed(forbidden()), nil, 1},
		{"usage", asUsage(errors.New("no such flag")), nil, 2},
		{"hook", failed(hookFailed(release.PreUpgrade)), nil, 3},
		{"test", failed(hookFailed(release.Test)), nil, 4},
		{"not ready", failed(&engine.NotReadyError{Timeout: time.Second}), nil, 5},
		{"another operation", &lifecycle.Refused{Err: &lifecycle.PendingError{Name: "web"}}, nil, 6},
		{"chart", problem, nil, 7},
		{"charts", diag.List{problem, problem}, nil, 7},
		{"refused", &lifecycle.Refused{Err: problem}, nil, 7},
		{"no such release to change", &lifecycle.Refused{Err: &lifecycle.NoReleaseError{Name: "web"}}, nil, 7},
		{"forbidden", forbidden(), nil, 7},
		{"rolled back", rolledBack(hookFailed(release.PreUpgrade), lifecycle.RolledBack), nil, 8},
		{"not rolled back", rolledBack(hookFailed(release.Test), lifecycle.RollbackFailed), nil, 9},
		{"stopped at its deadline", late(), syscall.SIGINT, 3},
		{"stopped at its deadline before it began", &lifecycle.LateError{Operation: plan.Upgrade}, nil, 1},
		{"tests stopped at their deadline before they began", &lifecycle.LateError{Operation: plan.Test}, nil, 4},
		{"interrupted", stopped(), syscall.SIGINT, 130},
		{"terminated", stopped(), syscall.SIGTERM, 143},
		{"the terminal went away", stopped(), syscall.SIGHUP, 143},
		{"interrupted while gathering", engine.ErrInterrupted, syscall.SIGTERM, 143},
		{"ended from outside", context.Canceled, nil, 130},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(tt.err, tt.sig); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
		})
	}
}
