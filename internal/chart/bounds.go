package chart

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// checkOutput refuses what templates rendered when it is more than any cluster
// could take.
func (l Limits) checkOutput(files map[string]string) error {
	var total int64
	for _, name := range slices.Sorted(maps.Keys(files)) {
		n := int64(len(files[name]))
		if n > l.Of(LimitOutputFile) {
			return l.exceeded(LimitOutputFile, name, fmt.Sprintf("the template renders %s", size(n)))
		}
		total += n
	}
	if total > l.Of(LimitOutputSize) {
		return l.exceeded(LimitOutputSize, "", fmt.Sprintf("the chart's templates render %s together", size(total)))
	}
	return nil
}

// checkValues refuses values that are too long to be values.
func (l Limits) checkValues(file string, data []byte) error {
	if n := int64(len(data)); n > l.Of(LimitValuesSize) {
		return l.exceeded(LimitValuesSize, "", fmt.Sprintf("values %q are longer than %s", file, size(l.Of(LimitValuesSize))))
	}
	return nil
}

// readFile reads a file of values, whatever it is, up to the limit and a byte
// more.
func (o ValuesOptions) readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, o.Limits.Of(LimitValuesSize)+1))
}
