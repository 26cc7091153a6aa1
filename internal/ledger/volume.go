package ledger

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The form of stored parts.
const (
	namePrefix = "pintle.ledger.v1."
	secretType = "pintle.dev/ledger.v1"
	dataKey    = "ledger"

	selectAll = "owner=pintle,kind=ledger"
	// recordLabel holds the UID of the record that a ledger belongs to: another
	// release of the same name has other records.
	recordLabel = "pintle.dev/record"
	// detachedLabel is the time, in seconds, since which a ledger has no record.
	detachedLabel = "pintle.dev/detached"
)

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// objectName is where a part is stored; the first one has no number.
func objectName(name string, revision, number int) string {
	out := namePrefix + name + ".v" + strconv.Itoa(revision)
	if number > 1 {
		out += "." + strconv.Itoa(number)
	}
	return out
}

// selector matches the parts of a release, of one revision unless that is 0.
func selector(name string, revision int) string {
	s := selectAll + ",name=" + name
	if revision > 0 {
		s += ",version=" + strconv.Itoa(revision)
	}
	return s
}

// identity reads which part of which revision an object is.
func identity(obj metav1.Object) (revision, number int, ok bool) {
	labels := obj.GetLabels()
	revision, err := strconv.Atoi(labels["version"])
	if err != nil || labels["kind"] != "ledger" {
		return 0, 0, false
	}
	first := objectName(labels["name"], revision, 1)
	if obj.GetName() == first {
		return revision, 1, true
	}
	number, err = strconv.Atoi(strings.TrimPrefix(obj.GetName(), first+"."))
	return revision, number, err == nil && number > 1
}

// detachedAt is since when the object has no record; false while it has one.
func detachedAt(obj metav1.Object) (time.Time, bool) {
	seconds, err := strconv.ParseInt(obj.GetLabels()[detachedLabel], 10, 64)
	return time.Unix(seconds, 0), err == nil
}

type volumeKey struct {
	release  string
	revision int
}

// volume is what is stored of one revision: parts that each hold some documents.
type volume struct {
	release  string
	revision int
	owner    *metav1.OwnerReference
	// detached is set for a ledger without a record.
	detached time.Time
	parts    []*part
	// last is the highest number in use, by whatever volume.
	last int
}

// part is one stored object.
type part struct {
	number int
	// version is the resourceVersion; empty for one that is not stored yet.
	version string
	members []member
	// closed tells that nothing can be added, since not all of it can be read.
	closed  bool
	changed bool
}

func (p *part) size() int {
	n := 0
	for _, m := range p.members {
		n += len(m.raw)
	}
	return n
}

func (v *volume) size() int {
	n := 0
	for _, p := range v.parts {
		n += p.size()
	}
	return n
}

// owns tells that a stored part belongs to this very record, and not to one of
// an earlier release of the same name.
func (v *volume) owns(obj metav1.Object) bool {
	_, detached := detachedAt(obj)
	if v.owner == nil {
		return obj.GetLabels()[recordLabel] == "" && detached == !v.detached.IsZero()
	}
	return obj.GetLabels()[recordLabel] == string(v.owner.UID)
}

func readPart(obj *unstructured.Unstructured, number int) *part {
	p := &part{number: number, version: obj.GetResourceVersion()}
	data, err := unwrap(obj)
	if err == nil {
		p.members, err = members(data)
	}
	p.closed = err != nil
	return p
}

// append adds a member to the last part, or to a new one.
func (v *volume) append(m member, limit int) {
	for _, p := range v.parts {
		for _, old := range p.members {
			if bytes.Equal(old.raw, m.raw) {
				return // an earlier attempt has written it
			}
		}
	}
	if n := len(v.parts); n > 0 {
		if p := v.parts[n-1]; !p.closed && p.size()+len(m.raw) <= limit {
			p.members, p.changed = append(p.members, m), true
			return
		}
	}
	v.last++
	v.parts = append(v.parts, &part{number: v.last, members: []member{m}, changed: true})
}

// fit encodes a document and makes room for it: the oldest documents go,
// first of tests, beyond the number that is kept or for the room they take,
// then of any hooks. What the present operation has written stays as long as
// shorter logs can make the room.
func (v *volume) fit(d document, bounds Bounds) ([]member, error) {
	if d.Tests {
		v.dropTests(d.Operation.ID, bounds.Tests)
	}
	for {
		packed, err := pack(d, bounds.Part)
		if err != nil {
			return nil, err
		}
		need := 0
		for _, m := range packed {
			need += len(m.raw)
		}
		room := func() bool { return v.size()+need <= bounds.Revision }
		for !room() && (v.dropOldest(true, d.Operation.ID) || v.dropOldest(false, d.Operation.ID)) {
		}
		if room() || !d.shorten() && !v.dropOldest(d.Tests, "") {
			return packed, nil
		}
	}
}

// dropTests leaves the latest runs of tests, together with the present one.
func (v *volume) dropTests(present string, keep int) {
	kept := map[string]bool{present: true}
	for i := len(v.parts) - 1; i >= 0; i-- {
		v.parts[i].drop(func(m member) bool {
			if m.Tests && len(kept) < keep {
				kept[m.Operation.ID] = true
			}
			return m.Tests && !kept[m.Operation.ID]
		})
	}
}

// drop takes documents out, looking at the latest first.
func (p *part) drop(out func(member) bool) {
	for i := len(p.members) - 1; i >= 0 && !p.closed; i-- {
		if out(p.members[i]) {
			p.take(i)
		}
	}
}

func (p *part) take(i int) {
	p.members, p.changed = append(p.members[:i:i], p.members[i+1:]...), true
}

// dropOldest takes out the oldest document that is, or is not, one of tests,
// except of one operation.
func (v *volume) dropOldest(tests bool, except string) bool {
	for _, p := range v.parts {
		for i, m := range p.members {
			if !p.closed && m.Tests == tests && m.Operation.ID != except {
				p.take(i)
				return true
			}
		}
	}
	return false
}

// build makes the object that holds a part.
func (b *Book) build(v *volume, p *part) *unstructured.Unstructured {
	var data []byte
	for _, m := range p.members {
		data = append(data, m.raw...)
	}
	labels := map[string]string{"owner": "pintle", "kind": "ledger", "name": v.release, "version": strconv.Itoa(v.revision)}
	obj := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": secretType,
		"data": map[string]any{dataKey: base64.StdEncoding.EncodeToString(data)},
	}}
	obj.SetName(objectName(v.release, v.revision, p.number))
	obj.SetNamespace(b.namespace)
	obj.SetResourceVersion(p.version)
	if v.owner != nil {
		if v.owner.Kind != "" {
			obj.SetOwnerReferences([]metav1.OwnerReference{*v.owner})
		}
		labels[recordLabel] = string(v.owner.UID)
	}
	if !v.detached.IsZero() {
		labels[detachedLabel] = strconv.FormatInt(v.detached.Unix(), 10)
	}
	obj.SetLabels(labels)
	return obj
}
