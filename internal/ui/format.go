package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// Format is how a result is written: as a table for people, as JSON or as
// YAML. Names and bytes are Helm's, since scripts read them.
type Format string

// The formats of -o.
const (
	Table Format = "table"
	JSON  Format = "json"
	YAML  Format = "yaml"
)

// Further formats, of test results only: Helm's block of text for each test,
// and XML for CI systems.
const (
	Block Format = "block"
	JUnit Format = "junit"
)

// ForPeople tells formats that follow what was shown of the run, on the same
// stream, from those that programs read.
func (f Format) ForPeople() bool { return f == Table || f == Block }

// ResultFormats are the names that -o takes where tests are run.
func ResultFormats() []string {
	return []string{string(Block), string(Table), string(JSON), string(YAML), string(JUnit)}
}

// ParseResultFormat reads the value of -o where tests are run.
func ParseResultFormat(s string) (Format, error) {
	for _, f := range ResultFormats() {
		if s == f {
			return Format(f), nil
		}
	}
	return "", fmt.Errorf("%w %q: block, table, json, yaml and junit are known", ErrFormat, s)
}

// ErrFormat is a format that is not known.
var ErrFormat = errors.New("invalid format type")

// Formats are the names that -o takes.
func Formats() []string { return []string{string(Table), string(JSON), string(YAML)} }

// ParseFormat reads the value of -o.
func ParseFormat(s string) (Format, error) {
	for _, f := range Formats() {
		if s == f {
			return Format(f), nil
		}
	}
	return "", fmt.Errorf("%w %q: table, json and yaml are known", ErrFormat, s)
}

// WriteAs writes a value in the format; table makes its text for people.
// JSON is one line, as Helm writes it.
func WriteAs(w io.Writer, f Format, value any, table func() string) error {
	var text []byte
	var err error
	switch f {
	case JSON:
		return json.NewEncoder(w).Encode(value)
	case YAML:
		if text, err = yaml.Marshal(value); err != nil {
			return fmt.Errorf("writing YAML: %w", err)
		}
	case Table:
		text = []byte(table())
	default:
		return ErrFormat
	}
	_, err = w.Write(text)
	return err
}
