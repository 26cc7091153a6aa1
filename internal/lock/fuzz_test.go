package lock

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FuzzLease reads Leases as anybody may have edited them, and sees that what
// is understood of one survives its being written.
func FuzzLease(f *testing.F) {
	f.Add("a@b/1/x", `{"user":"a","pid":1}`, "upgrade", "3", "1,2", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", int64(30))
	f.Add("x", "{", "", "-1", ",,", "never", "0", int64(-1))
	f.Add("", `{"pid":"x"}`, "\x00", "99999999999999999999", "1,x,3", "", "", int64(1)<<62)
	f.Fuzz(func(t *testing.T, identity, holder, operation, revision, unrecorded, started, renewed string, seconds int64) {
		obj := &unstructured.Unstructured{Object: map[string]any{
			"spec": map[string]any{"holderIdentity": identity, "renewTime": renewed, "leaseDurationSeconds": seconds},
		}}
		obj.SetName(Name("web"))
		obj.SetAnnotations(map[string]string{
			holderAnnotation: holder, operationAnnotation: operation, revisionAnnotation: revision,
			unrecordedAnnotation: unrecorded, startedAnnotation: started,
		})
		s := read(obj)
		_ = s.Holder.String()
		_ = s.Left()
		again := read(s.write(time.Unix(1_000_000, 0)))
		if s.Intent.Revision < 0 {
			s.Intent.Revision = 0 // no such revision is written
		}
		got, want := again.Left(), s.Left()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("revisions that were left (-before +after):\n%s", diff)
		}
		if again.Intent != s.Intent || again.Holder.Known() != (s.identity != "" && s.Holder.Known()) {
			t.Errorf("%+v became %+v", s, again)
		}
	})
}
