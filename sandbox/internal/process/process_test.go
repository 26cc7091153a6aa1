package process

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	tests := map[string]struct {
		line    string
		want    stat
		wantErr bool
	}{
		"plain":               {line: "7 (cat) S 1 7 7 0 -1 4 1 0 0 0 1 2 0 0 20 0 1 0 4711 99 1", want: stat{state: 'S', started: 4711}},
		"brackets and blanks": {line: "7 (a) b (c) Z 1 7 7 0 -1 4 1 0 0 0 1 2 0 0 20 0 1 0 12 99 1", want: stat{state: 'Z', started: 12}},
		"cut short":           {line: "7 (cat) S 1 7", wantErr: true},
		"no name":             {line: "7 S 1", wantErr: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat(tt.line)
			if (err != nil) != tt.wantErr || got != tt.want {
				t.Errorf("parseStat = %+v, %v; want %+v, error %v", got, err, tt.want, tt.wantErr)
			}
		})
	}
}

func startSleep(t *testing.T, dir string, args ...string) *Running {
	t.Helper()
	running, err := Start(Spec{Name: "sleeper", Path: "/bin/sh", Args: args, Log: filepath.Join(dir, "log")}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := Stop(ctx, running.ID, 0); err != nil {
			t.Error(err)
		}
	})
	return running
}

func TestOnlyTheRecordedProcessIsSignalled(t *testing.T) {
	running := startSleep(t, t.TempDir(), "-c", "exec sleep 60")
	another := ID{PID: running.ID.PID, Started: running.ID.Started + 1}
	if another.Alive() {
		t.Error("a process with another start time counts as alive")
	}
	if err := another.Signal(9); err != nil {
		t.Error(err)
	}
	if !running.ID.Alive() {
		t.Error("the signal went to a process that only shares the id")
	}
}

func TestMarkedFindsDescendantsOfThisFolderOnly(t *testing.T) {
	dir := t.TempDir()
	startSleep(t, dir, "-c", "sleep 60 & wait")
	startSleep(t, t.TempDir(), "-c", "exec sleep 60")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		ids, err := Marked(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) == 2 { // the shell and its child
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("found %v, want two processes", ids)
		}
	}
	if err := KillAll(ctx, func() ([]ID, error) { return Marked(dir) }); err != nil {
		t.Fatal(err)
	}
	if ids, _ := Marked(dir); len(ids) != 0 {
		t.Errorf("left over: %v", ids)
	}
}

func TestStopKillsWhatIgnoresItsSignal(t *testing.T) {
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	running := startSleep(t, dir, "-c", "trap '' TERM; : >"+ready+"; while :; do sleep 1; done")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := os.Stat(ready); err == nil {
			break
		}
	}
	if err := Stop(ctx, running.ID, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if running.ID.Alive() {
		t.Error("still alive")
	}
	if err := KillAll(ctx, func() ([]ID, error) { return Marked(dir) }); err != nil {
		t.Fatal(err)
	}
}
