package chart

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"

	"helm.sh/helm/v4/pkg/chart/common"
)

// The wire form carries what templates see to the process that renders, and
// back, without changing it: numbers keep their types, empty is not nil, text
// may be any bytes, and a map that is in two places stays one map, for a
// template may write into it. JSON and gob lose some of that. Both ends are the
// same binary, so there are no versions.

// wireTypes are the types that a value of type any may have. Their order is
// part of the form.
var wireTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](),
	reflect.TypeFor[int](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[json.Number](),
	reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any](), reflect.TypeFor[common.Values](),
	reflect.TypeFor[[]string](), reflect.TypeFor[map[string]string](), reflect.TypeFor[[]map[string]any](),
}

// wireWriter writes values one after another.
type wireWriter struct {
	bytes.Buffer
	maps map[uintptr]uint64
}

// encodeWire writes a value, through its pointer if it is one.
func encodeWire(value any) ([]byte, error) {
	w := wireWriter{maps: map[uintptr]uint64{}}
	err := w.value(reflect.Indirect(reflect.ValueOf(value)))
	return w.Bytes(), err
}

func (w *wireWriter) number(n uint64) { w.Write(binary.AppendUvarint(nil, n)) }

func (w *wireWriter) text(s string) {
	w.number(uint64(len(s)))
	w.WriteString(s)
}

func (w *wireWriter) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Bool:
		return w.WriteByte(map[bool]byte{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint64:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.number(math.Float64bits(v.Float()))
	case reflect.String:
		w.text(v.String())
	case reflect.Slice:
		return w.slice(v)
	case reflect.Map:
		return w.table(v)
	case reflect.Pointer:
		if v.IsNil() {
			return w.WriteByte(0)
		}
		w.number(1)
		return w.value(v.Elem())
	case reflect.Interface:
		return w.any(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if err := w.value(v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
	default:
		return fmt.Errorf("a value of type %s cannot be sent", v.Type())
	}
	return nil
}

// slice writes the length and one, or zero for nil.
func (w *wireWriter) slice(v reflect.Value) error {
	if v.IsNil() {
		return w.WriteByte(0)
	}
	w.number(uint64(v.Len()) + 1)
	if v.Type().Elem().Kind() == reflect.Uint8 {
		_, err := w.Write(v.Bytes())
		return err
	}
	for i := range v.Len() {
		if err := w.value(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// table writes zero for nil, one and a number for a map that was written
// before, and the length and two for any other.
func (w *wireWriter) table(v reflect.Value) error {
	if v.IsNil() {
		return w.WriteByte(0)
	}
	if known, ok := w.maps[v.Pointer()]; ok {
		w.number(1)
		w.number(known)
		return nil
	}
	w.maps[v.Pointer()] = uint64(len(w.maps))
	w.number(uint64(v.Len()) + 2)
	for entries := v.MapRange(); entries.Next(); {
		w.text(entries.Key().String())
		if err := w.value(entries.Value()); err != nil {
			return err
		}
	}
	return nil
}

// any writes the number of the type and one, or zero for nil.
func (w *wireWriter) any(v reflect.Value) error {
	if v.IsNil() {
		return w.WriteByte(0)
	}
	for i, t := range wireTypes {
		if t == v.Elem().Type() {
			w.number(uint64(i) + 1)
			return w.value(v.Elem())
		}
	}
	return fmt.Errorf("a value of type %s cannot be sent", v.Elem().Type())
}

// wireReader reads what wireWriter wrote.
type wireReader struct {
	rest []byte
	maps []reflect.Value
}

var errWire = errors.New("the data is not in the form that was expected")

// decodeWire reads into the value that the pointer leads to.
func decodeWire(data []byte, into any) error {
	r := wireReader{rest: data}
	return r.value(reflect.ValueOf(into).Elem())
}

func (r *wireReader) number() (uint64, error) {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		return 0, errWire
	}
	r.rest = r.rest[size:]
	return n, nil
}

// count reads a number of things that take a byte at least.
func (r *wireReader) count() (int, error) {
	n, err := r.number()
	if err != nil || n > uint64(len(r.rest))+2 {
		return 0, errWire
	}
	return int(n), nil
}

func (r *wireReader) bytes(n int) ([]byte, error) {
	if n < 0 || n > len(r.rest) {
		return nil, errWire
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out, nil
}

func (r *wireReader) text() (string, error) {
	n, err := r.count()
	if err != nil {
		return "", err
	}
	data, err := r.bytes(n)
	return string(data), err
}

func (r *wireReader) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Slice:
		return r.slice(v)
	case reflect.Map:
		return r.table(v)
	case reflect.Pointer:
		return r.pointer(v)
	case reflect.Interface:
		return r.any(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if err := r.value(v.Field(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.String:
		text, err := r.text()
		v.SetString(text)
		return err
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(n != 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint64:
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.Float64frombits(n))
	default:
		return errWire
	}
	return nil
}

func (r *wireReader) pointer(v reflect.Value) error {
	n, err := r.number()
	if err != nil || n == 0 {
		return err
	}
	v.Set(reflect.New(v.Type().Elem()))
	return r.value(v.Elem())
}

func (r *wireReader) slice(v reflect.Value) error {
	n, err := r.count()
	if err != nil || n == 0 {
		return err
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		data, err := r.bytes(n - 1)
		v.SetBytes(bytes.Clone(data))
		return err
	}
	if n-1 > len(r.rest) {
		return errWire
	}
	v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
	for i := range n - 1 {
		if err := r.value(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *wireReader) table(v reflect.Value) error {
	n, err := r.count()
	switch {
	case err != nil || n == 0:
		return err
	case n == 1:
		known, err := r.number()
		if err != nil || known >= uint64(len(r.maps)) || !r.maps[known].Type().ConvertibleTo(v.Type()) {
			return errWire
		}
		v.Set(r.maps[known].Convert(v.Type()))
		return nil
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), n-2))
	r.maps = append(r.maps, reflect.ValueOf(v.Interface()))
	for range n - 2 {
		key, err := r.text()
		if err != nil {
			return err
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := r.value(element); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), element)
	}
	return nil
}

func (r *wireReader) any(v reflect.Value) error {
	n, err := r.number()
	if err != nil || n == 0 {
		return err
	}
	if n > uint64(len(wireTypes)) {
		return errWire
	}
	value := reflect.New(wireTypes[n-1]).Elem()
	if err := r.value(value); err != nil {
		return err
	}
	v.Set(value)
	return nil
}
