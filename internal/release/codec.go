package release

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
)

// maxUnpacked bounds what a record may unpack to. A record that a cluster
// stores is below 1 MiB packed, so only a hostile one comes near it.
const maxUnpacked = 64 << 20

// From these encoded sizes on, small counts for more than fast. Against the
// best compression, which Helm uses, the fastest one takes a tenth of the time
// and a third more space, the default one half of the time and 2 % more space.
const (
	large   = 256 << 10
	crowded = MaxSize * 6 / 10
)

// DecodeError is a record that cannot be read. Err says what is wrong with it.
type DecodeError struct{ Err error }

// Error is one sentence.
func (e *DecodeError) Error() string { return "the release record cannot be read: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// Encode writes a record as Helm 4 does: JSON, gzip, base64. The result is what
// a Secret's data holds under "release" (the Secret's own base64 comes on
// top) and what a ConfigMap's data holds as text. Labels are not part of it.
func Encode(r *Release) ([]byte, error) {
	if r.outlined {
		return nil, fmt.Errorf("encoding revision %d of release %s: %w", r.Revision, r.Name, errOutline)
	}
	raw, err := marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding revision %d of release %s: %w", r.Revision, r.Name, err)
	}
	encoded, err := pack(raw, gzip.BestSpeed)
	if err == nil && len(encoded) > large {
		encoded, err = pack(raw, gzip.DefaultCompression)
	}
	if err == nil && len(encoded) > crowded {
		encoded, err = pack(raw, gzip.BestCompression)
	}
	if err != nil {
		return nil, fmt.Errorf("packing revision %d of release %s: %w", r.Revision, r.Name, err)
	}
	return encoded, nil
}

// Decode reads a record that Pintle, Helm 3 or Helm 4 wrote, also one from
// before Helm compressed them. Fields that are not known are kept for the next
// Encode. Every error is a *DecodeError.
func Decode(encoded []byte) (*Release, error) {
	raw, err := unpack(encoded)
	if err != nil {
		return nil, &DecodeError{Err: err}
	}
	r, err := unmarshal(raw)
	if err != nil {
		return nil, &DecodeError{Err: err}
	}
	return r, nil
}

// packers keeps gzip writers, which are large, between records.
var packers = map[int]*sync.Pool{
	gzip.BestSpeed:          {},
	gzip.DefaultCompression: {},
	gzip.BestCompression:    {},
}

func pack(raw []byte, level int) ([]byte, error) {
	var packed bytes.Buffer
	w, ok := packers[level].Get().(*gzip.Writer)
	if ok {
		w.Reset(&packed)
	} else {
		var err error
		if w, err = gzip.NewWriterLevel(&packed, level); err != nil {
			return nil, err
		}
	}
	defer packers[level].Put(w)
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, packed.Bytes()), nil
}

func unpack(encoded []byte) ([]byte, error) {
	packed, err := base64.StdEncoding.AppendDecode(nil, encoded)
	if err != nil {
		return nil, fmt.Errorf("it is not base64: %w", err)
	}
	if !bytes.HasPrefix(packed, []byte{0x1f, 0x8b, 0x08}) {
		return packed, nil // written before Helm compressed records
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("its compressed data is damaged: %w", err)
	}
	var raw bytes.Buffer
	raw.Grow(min(len(packed)*6, maxUnpacked))
	n, err := io.Copy(&raw, io.LimitReader(r, maxUnpacked+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("its compressed data is damaged: %w", err)
	case n > maxUnpacked:
		return nil, errors.New("it unpacks to more than 64 MiB")
	}
	return raw.Bytes(), nil
}
