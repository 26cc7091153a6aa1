package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// formatVersion is that of the documents below. It grows when a reader of the
// form before would be misled, not when a field is added. docs/formats/ledger.md
// describes the form.
const formatVersion = 1

// maxDecoded bounds what one stored part may unpack to.
const maxDecoded = 64 << 20

// header is what the runs of one document have in common.
type header struct {
	Version   int    `json:"version"`
	Release   string `json:"release"`
	Namespace string `json:"namespace"`
	Revision  int    `json:"revision"`
	// Tests tells that the runs are those of tests; a document never mixes them
	// with other hooks.
	Tests     bool      `json:"tests,omitempty"`
	Operation Operation `json:"operation"`
}

// document is what one operation did, or a portion of it. The header comes
// first, so that it can be read without the rest.
type document struct {
	header
	Runs []Run `json:"runs"`
	// Course is in the last document of an operation that came to its end.
	Course *Course `json:"course,omitempty"`
}

// member is an encoded document: a part that is stored is a series of them.
type member struct {
	header
	raw []byte
}

// documents groups runs by operation, revision and whether they are tests, in order.
func documents(runs []Run) []document {
	var out []document
	for _, r := range runs {
		h := header{
			Version: formatVersion, Release: r.Release, Namespace: r.Namespace, Revision: r.Revision,
			Tests: r.IsTest(), Operation: r.Operation,
		}
		if n := len(out); n == 0 || !out[n-1].same(h) {
			out = append(out, document{header: h})
		}
		last := &out[len(out)-1]
		last.Runs = append(last.Runs, r)
	}
	return out
}

func (h header) same(other header) bool {
	return h.Release == other.Release && h.Namespace == other.Namespace && h.Revision == other.Revision &&
		h.Tests == other.Tests && h.Operation.ID == other.Operation.ID
}

func (d document) encode() (member, error) {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	err := errors.Join(json.NewEncoder(w).Encode(d), w.Close())
	return member{header: d.header, raw: buffer.Bytes()}, err
}

// pack encodes a document in members of at most limit bytes: it is divided
// between runs, and where one run alone is too long its logs are shortened.
func pack(d document, limit int) ([]member, error) {
	m, err := d.encode()
	switch {
	case err != nil:
		return nil, fmt.Errorf("encoding the ledger: %w", err)
	case len(m.raw) <= limit:
		return []member{m}, nil
	case len(d.Runs) > 1:
		half := len(d.Runs) / 2
		return packBoth(document{d.header, d.Runs[:half], nil}, document{d.header, d.Runs[half:], d.Course}, limit)
	case len(d.Runs) == 1 && d.Course != nil:
		return packBoth(document{d.header, d.Runs, nil}, document{d.header, nil, d.Course}, limit)
	case len(d.Runs) == 0:
		shorter := d.Course.shorten()
		if shorter == nil {
			return nil, fmt.Errorf("what one step of the %s did takes %d bytes, more than fit into the ledger", d.Operation.Name, len(m.raw))
		}
		return pack(document{d.header, nil, shorter}, limit)
	}
	shorter, ok := shorten(d.Runs[0])
	if !ok {
		return nil, fmt.Errorf("what %s did takes %d bytes without its logs, more than fit into the ledger", d.Runs[0].Object, len(m.raw))
	}
	return pack(document{d.header, []Run{shorter}, nil}, limit)
}

func packBoth(first, second document, limit int) ([]member, error) {
	packed, err := pack(first, limit)
	if err != nil {
		return nil, err
	}
	more, err := pack(second, limit)
	return append(packed, more...), err
}

// shorten halves the logs of all runs; false when there is nothing left to take.
func (d *document) shorten() bool {
	some := false
	runs := make([]Run, len(d.Runs))
	for i, r := range d.Runs {
		shorter, ok := shorten(r)
		runs[i], some = shorter, some || ok
	}
	d.Runs = runs
	return some
}

// shorten halves what is kept of a run's logs, and then of its events; false
// when there is nothing left to take.
func shorten(r Run) (Run, bool) {
	size := 0
	for _, p := range r.Pods {
		for _, c := range p.Containers {
			size = max(size, c.Log.headSize, c.Log.tailSize)
		}
	}
	if size == 0 {
		r.Events = r.Events[:len(r.Events)/2]
		return r, len(r.Events) > 0
	}
	pods := make([]Pod, len(r.Pods))
	for i, p := range r.Pods {
		pods[i] = p
		pods[i].Containers = make([]Container, len(p.Containers))
		for k, c := range p.Containers {
			c.Log = c.Log.cut(Limits{Head: min(c.Log.headSize, size/2), Tail: min(c.Log.tailSize, size/2)})
			pods[i].Containers[k] = c
		}
	}
	r.Pods = pods
	return r, true
}

// Encode is the stored form of runs, for one part.
func Encode(runs []Run) ([]byte, error) {
	var out []byte
	for _, d := range documents(runs) {
		m, err := d.encode()
		if err != nil {
			return nil, fmt.Errorf("encoding the ledger: %w", err)
		}
		out = append(out, m.raw...)
	}
	return out, nil
}

// Decode reads the runs of a stored part. What it can read it gives even with
// an error: runs before a place that is damaged, and those beside a document
// that a newer Pintle wrote.
func Decode(data []byte) ([]Run, error) {
	s, err := decode(data)
	return s.Runs, err
}

// decode reads all of a stored part, as Decode does.
func decode(data []byte) (Story, error) {
	var story Story
	var newer error
	err := eachMember(data, func(m member, text []byte) error {
		if m.Version != formatVersion {
			newer = errNewer
			return nil
		}
		var d document
		if err := json.Unmarshal(text, &d); err != nil {
			return err
		}
		for _, r := range d.Runs {
			r.Release, r.Namespace, r.Revision, r.Operation = d.Release, d.Namespace, d.Revision, d.Operation
			story.Runs = append(story.Runs, r)
		}
		if c := d.Course; c != nil {
			c.Release, c.Namespace, c.Revision, c.Operation = d.Release, d.Namespace, d.Revision, d.Operation
			story.Courses = append(story.Courses, *c)
		}
		return nil
	})
	return story, errors.Join(err, newer)
}

// members takes a stored part apart without reading its runs; documents of a
// later form are members too.
func members(data []byte) ([]member, error) {
	var out []member
	err := eachMember(data, func(m member, _ []byte) error {
		out = append(out, m)
		return nil
	})
	return out, err
}

var errNewer = errors.New("a part of the ledger was written by a newer version of Pintle")

// eachMember unpacks one member after another; behind damage nothing can be read.
func eachMember(data []byte, each func(m member, text []byte) error) error {
	in := bytes.NewReader(data)
	for left := int64(maxDecoded); in.Len() > 0; {
		start := len(data) - in.Len()
		text, err := unpack(in, left)
		left -= int64(len(text))
		m := member{raw: data[start : len(data)-in.Len()]}
		if err == nil {
			err = json.Unmarshal(text, &m.header)
		}
		if err == nil {
			err = each(m, text)
		}
		if err != nil {
			return fmt.Errorf("a part of the ledger is damaged: %w", err)
		}
	}
	return nil
}

// unpack reads one gzip member and leaves in at the next.
func unpack(in *bytes.Reader, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	text, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("it unpacks to more than %d MiB", maxDecoded>>20)
	}
	return text, err
}
