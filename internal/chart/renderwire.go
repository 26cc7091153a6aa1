package chart

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
)

// What the process that wants a chart rendered and the one that renders it tell
// each other. Each message is its kind, its length in eight bytes, and a value
// in wire form.
const (
	sayRender byte = 'r' // a renderRequest, once, the first
	sayFound  byte = 'f' // a lookupAnswer
	sayBegin  byte = 'b' // a string: the template that is next
	sayLookup byte = 'l' // a lookupRequest
	sayDone   byte = 'd' // a map[string]string: what each template gave
	sayFailed byte = 'e' // a string: the engine's error
	sayLimit  byte = 'p' // a diag.Problem: a limit is exceeded
)

// renderRequest is all that templates may see.
type renderRequest struct {
	Chart        wireChart
	Values       map[string]any
	Release      map[string]any
	Capabilities Capabilities
	EnableDNS    bool
	LintMode     bool
	Lookups      bool
	Limits       map[string]any
}

// wireChart is the part of a chart that the engine reads.
type wireChart struct {
	Metadata     *helmchart.Metadata
	Templates    []wireFile
	Files        []wireFile
	Dependencies []wireChart
}

type wireFile struct {
	Name string
	Data []byte
}

type lookupRequest struct{ APIVersion, Kind, Namespace, Name string }

type lookupAnswer struct {
	Found map[string]any
	Err   string
}

func packChart(c *helmchart.Chart) wireChart {
	out := wireChart{Metadata: c.Metadata, Templates: packFiles(c.Templates), Files: packFiles(c.Files)}
	for _, sub := range c.Dependencies() {
		out.Dependencies = append(out.Dependencies, packChart(sub))
	}
	return out
}

func packFiles(files []*common.File) []wireFile {
	var out []wireFile
	for _, f := range files {
		if f != nil {
			out = append(out, wireFile{f.Name, f.Data})
		}
	}
	return out
}

func (w wireChart) unpack() *helmchart.Chart {
	c := &helmchart.Chart{Metadata: w.Metadata, Templates: unpackFiles(w.Templates), Files: unpackFiles(w.Files)}
	for _, sub := range w.Dependencies {
		c.AddDependency(sub.unpack())
	}
	return c
}

func unpackFiles(files []wireFile) []*common.File {
	var out []*common.File
	for _, f := range files {
		out = append(out, &common.File{Name: f.Name, Data: f.Data})
	}
	return out
}

// speaker writes messages, each of them whole.
type speaker struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *speaker) say(kind byte, value any) error {
	data, err := encodeWire(value)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.w.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(data)))); err != nil {
		return err
	}
	_, err = s.w.Write(data)
	return err
}

// hear reads one message of at most so many bytes.
func hear(r io.Reader, most int64) (kind byte, data []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint64(head[1:])
	if n > uint64(most) {
		return 0, nil, fmt.Errorf("a message of %d bytes: %w", n, errWire)
	}
	data = make([]byte, n)
	_, err = io.ReadFull(r, data)
	return head[0], data, err
}

// hearProblem reads a limit that is exceeded.
func hearProblem(data []byte) error {
	var p diag.Problem
	if err := decodeWire(data, &p); err != nil {
		return err
	}
	return p
}
