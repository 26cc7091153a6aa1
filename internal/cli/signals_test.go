package cli

import (
	"os"
	"syscall"
	"testing"
)

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestSignalsStopInTwoStages(t *testing.T) {
	var said []string
	s := newSignals(func(text string) { said = append(said, text) })
	s.take(syscall.SIGTERM, 1)
	if !closed(s.stop) || closed(s.abort) {
		t.Fatal("the first signal must stop, and no more")
	}
	if len(said) != 1 {
		t.Errorf("said %q", said)
	}
	s.take(os.Interrupt, 2)
	if !closed(s.abort) || len(said) != 2 {
		t.Error("the second signal must abort, and say so")
	}
	s.take(os.Interrupt, 3)
	if s.caught() != syscall.SIGTERM {
		t.Errorf("caught %v, want the first signal", s.caught())
	}
}

func TestSignalsAreCaughtOnRequest(t *testing.T) {
	s := newSignals(func(string) {})
	s.release() // harmless when nothing was caught
	got := s.catch()
	defer s.release()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-got.Stop
	if s.caught() != syscall.SIGTERM {
		t.Errorf("caught %v", s.caught())
	}
}
