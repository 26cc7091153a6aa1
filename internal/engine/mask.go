package engine

import (
	"encoding/base64"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/pintle-dev/pintle/internal/health"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// masker holds what the engine knows of secret values; it grows as Secrets are read.
type masker struct{ at atomic.Pointer[ledger.Masker] }

func (m *masker) get() *ledger.Masker { return m.at.Load() }

func (m *masker) add(values []string) {
	for {
		before := m.at.Load()
		if m.at.CompareAndSwap(before, before.With(values...)) {
			return
		}
	}
}

// Conceal masks the values of those objects that are Secrets in all that the
// engine tells and keeps from now on.
func (e *Engine) Conceal(objs ...*unstructured.Unstructured) {
	e.masker.add(SecretValues(objs...))
}

// Mask gives an error again without secret values in its text; its chain is
// kept.
func (e *Engine) Mask(err error) error {
	if err == nil {
		return nil
	}
	return e.maskError(err)
}

// SecretValues are the values of those objects that are Secrets.
func SecretValues(objs ...*unstructured.Unstructured) []string {
	var values []string
	for _, obj := range objs {
		if obj != nil && object.RefOf(obj).Is("", "Secret") {
			values = append(values, secretValues(obj, nil)...)
		}
	}
	return values
}

// secretValues are those of a Secret's keys, of all of them for no keys. What a
// broken manifest has in their place, such as a number or text that is not
// base64, counts as well: the API server quotes it when it refuses it.
func secretValues(secret *unstructured.Unstructured, keys []string) []string {
	var out []string
	wanted := func(key string) bool { return len(keys) == 0 || slices.Contains(keys, key) }
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	for key, encoded := range data {
		if !wanted(key) || encoded == nil {
			continue
		}
		text, isText := encoded.(string)
		value, err := base64.StdEncoding.DecodeString(text)
		switch {
		case !isText:
			out = append(out, fmt.Sprint(encoded))
		case err != nil:
			out = append(out, text)
		default:
			out = append(out, string(value))
		}
	}
	plain, _, _ := unstructured.NestedMap(secret.Object, "stringData")
	for key, value := range plain {
		if value != nil && wanted(key) {
			out = append(out, fmt.Sprint(value))
		}
	}
	return out
}

// maskedError is an error whose text held a secret value.
type maskedError struct {
	text string
	err  error
}

// Error is the masked text.
func (e *maskedError) Error() string { return e.text }

// Unwrap gives the cause as it is.
func (e *maskedError) Unwrap() error { return e.err }

func (e *Engine) maskError(err error) error {
	text := err.Error()
	if masked := e.masker.get().Text(text); masked != text {
		return &maskedError{masked, err}
	}
	return err
}

// maskCauses gives the causes again without secret values.
func (e *Engine) maskCauses(causes []health.Cause) []health.Cause {
	m := e.masker.get()
	if m == nil {
		return causes
	}
	out := make([]health.Cause, len(causes))
	for i, c := range causes {
		c.Message = m.Text(c.Message)
		c.Lines = slices.Clone(c.Lines)
		for k := range c.Lines {
			c.Lines[k] = m.Text(c.Lines[k])
		}
		c.Children = e.maskCauses(c.Children)
		out[i] = c
	}
	return out
}
