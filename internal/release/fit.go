package release

import (
	"encoding/json"
	"fmt"

	"github.com/pintle-dev/pintle/internal/diag"
)

// reserve is what a record may grow by between its first write and its last:
// times of hooks, a longer description.
const reserve = 16 << 10

// warnAt is from where on a record is worth a warning, in percent of the capacity.
const warnAt = 70

// Fit makes sure, before anything is touched, that the record can be stored now
// and when its operation has ended. One that is too big comes back without its
// chart's templates, files and schema, with a warning; if it does not
// fit even so, the error is a *TooBigError. A warning also tells of a record
// that gets near the limit. The capacity is that of one stored record in bytes:
// MaxSize in a cluster, 0 where there is no limit.
func Fit(r *Release, capacity int) (*Release, diag.List, error) {
	var notes diag.List
	if capacity == 0 {
		return r, nil, nil
	}
	encoded, err := Encode(r)
	if err != nil {
		return nil, nil, err
	}
	whole := len(encoded)
	if whole > capacity-reserve {
		small, dropped := Shrink(r)
		if encoded, err = Encode(small); err != nil {
			return nil, nil, err
		}
		if !dropped || len(encoded) > capacity-reserve {
			return nil, nil, &TooBigError{Release: r.Name, Revision: r.Revision, Size: len(encoded), Parts: Parts(small)}
		}
		notes.Warnf("the record of release %s needs %s and a cluster stores at most %s: it is kept without the chart's templates, files and schema",
			r.Name, kib(whole), kib(capacity))
		return small, notes, nil
	}
	if whole > capacity*warnAt/100 {
		biggest := Parts(r)[0]
		notes.Warnf("the record of release %s takes %s of the %s that a cluster stores; its biggest part is %s",
			r.Name, kib(whole), kib(capacity), fmt.Sprintf("%s (%s before compression)", biggest.Name, kib(biggest.Bytes)))
	}
	return r, notes, nil
}

// Shrink gives a copy of the record whose chart has lost templates, files and
// schema. Metadata, values, manifest and hooks stay: what upgrades with old values,
// rollbacks and uninstalls need, in Helm too. It is false when there was
// nothing to lose.
func Shrink(r *Release) (*Release, bool) {
	chart, err := readObject("chart.", r.Chart)
	if err != nil {
		return r, false
	}
	dropped := false
	for field, empty := range map[string]string{"templates": "[]", "files": "[]", "schema": "null"} {
		if raw, ok := chart.fields[field]; ok && !isNull(raw) && string(raw) != "[]" {
			chart.fields[field] = json.RawMessage(empty)
			dropped = true
		}
	}
	if !dropped {
		return r, false
	}
	var w objectWriter
	w.rest(chart.fields)
	small := r.Clone()
	if small.Chart, err = w.close(); err != nil {
		return r, false
	}
	return small, true
}
