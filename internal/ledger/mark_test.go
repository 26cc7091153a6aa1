package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pintle-dev/pintle/internal/release"
)

func TestMark(t *testing.T) {
	r := Run{
		Release: "web", Revision: 3, Event: release.PreUpgrade, Attempt: 2,
		Operation: Operation{ID: "X", Name: "upgrade", Started: time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC), By: "ann@ci"},
	}
	got, ok := ReadMark(r.Mark().String())
	if diff := cmp.Diff(r.Mark(), got); !ok || diff != "" {
		t.Errorf("read %t (-want +got):\n%s", ok, diff)
	}
	for _, text := range []string{"", "op/1", "{}", `{"id":"X","release":"web","revision":0,"event":"test","attempt":1}`, `{"id":"X","revision":"3"}`} {
		if m, ok := ReadMark(text); ok {
			t.Errorf("%q is read as %+v", text, m)
		}
	}
}
