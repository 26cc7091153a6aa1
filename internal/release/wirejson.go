package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// objectWriter writes one JSON object, field by field. The first error stays.
type objectWriter struct {
	buf []byte
	err error
}

// key starts a field.
func (w *objectWriter) key(name string) {
	sep := byte(',')
	if len(w.buf) == 0 {
		sep = '{'
	}
	w.buf = append(w.buf, sep)
	quoted, _ := json.Marshal(name) // text always has a JSON form
	w.buf = append(append(w.buf, quoted...), ':')
}

// value writes a field whatever its value is.
func (w *objectWriter) value(name string, v any) {
	encoded, err := json.Marshal(v)
	if err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("its field %s: %w", name, err)
		}
		return
	}
	w.raw(name, encoded)
}

// raw writes JSON as it is; nothing is left out.
func (w *objectWriter) raw(name string, encoded json.RawMessage) {
	if len(encoded) > 0 {
		w.key(name)
		w.buf = append(w.buf, encoded...)
	}
}

func (w *objectWriter) text(name, s string) {
	if s != "" {
		w.value(name, s)
	}
}

func (w *objectWriter) number(name string, n int) {
	if n != 0 {
		w.key(name)
		w.buf = strconv.AppendInt(w.buf, int64(n), 10)
	}
}

func (w *objectWriter) time(name string, t time.Time) {
	if !t.IsZero() {
		w.value(name, t)
	}
}

// nested writes an object as a field.
func (w *objectWriter) nested(name string, write func(*objectWriter)) {
	w.key(name)
	w.object(write)
}

// list writes an array of n objects as a field.
func (w *objectWriter) list(name string, n int, write func(i int, o *objectWriter)) {
	w.key(name)
	w.buf = append(w.buf, '[')
	for i := range n {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.object(func(o *objectWriter) { write(i, o) })
	}
	w.buf = append(w.buf, ']')
}

// object writes an object where a value is due.
func (w *objectWriter) object(write func(*objectWriter)) {
	var o objectWriter
	write(&o)
	encoded, err := o.close()
	if w.err == nil {
		w.err = err
	}
	w.buf = append(w.buf, encoded...)
}

// rest writes the fields that are not known, sorted by name.
func (w *objectWriter) rest(fields map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		w.raw(name, fields[name])
	}
}

// close ends the object and gives its JSON.
func (w *objectWriter) close() ([]byte, error) {
	if len(w.buf) == 0 {
		w.buf = append(w.buf, '{')
	}
	return append(w.buf, '}'), w.err
}

// objectReader takes fields out of one JSON object. The first error stays.
type objectReader struct {
	// path is where the object is in the record, with a dot at its end.
	path   string
	fields map[string]json.RawMessage
	err    error
}

// readObject reads an object; nothing and null count as an empty one.
func readObject(path string, raw json.RawMessage) (*objectReader, error) {
	o := &objectReader{path: path}
	if isNull(raw) {
		return o, nil
	}
	if err := json.Unmarshal(raw, &o.fields); err != nil {
		if path == "" {
			return nil, fmt.Errorf("it is not a JSON object: %w", err)
		}
		return nil, fmt.Errorf("its field %s: %w", path[:len(path)-1], err)
	}
	return o, nil
}

// take decodes a field, if it is there, and counts it as known.
func (o *objectReader) take(name string, into any) {
	raw, ok := o.fields[name]
	if !ok {
		return
	}
	delete(o.fields, name)
	if as, ok := into.(*json.RawMessage); ok {
		*as = raw
		return
	}
	if err := json.Unmarshal(raw, into); err != nil && o.err == nil {
		o.err = fmt.Errorf("its field %s%s: %w", o.path, name, err)
	}
}

// time takes a field that holds a time.
func (o *objectReader) time(name string, into *time.Time) {
	var text string
	o.take(name, &text)
	t, err := parseTime(text)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("its field %s%s is not a time: %w", o.path, name, err)
	}
	*into = t
}

// drop forgets a field.
func (o *objectReader) drop(name string) { delete(o.fields, name) }

// rest are the fields that were not taken, nil when there are none.
func (o *objectReader) rest() map[string]json.RawMessage {
	if len(o.fields) == 0 {
		return nil
	}
	return o.fields
}

// isNull reports whether there is nothing, or null.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}
