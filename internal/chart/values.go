package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/pintle-dev/pintle/internal/diag"
	"github.com/pintle-dev/pintle/internal/pattern"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// ValuesOptions are the values that a user gives, in the groups of Helm's
// flags.
type ValuesOptions struct {
	Files      []string // -f: a path, a URL, or "-" for Stdin
	Set        []string // --set key=value,...
	SetString  []string // --set-string
	SetFile    []string // --set-file key=path
	SetJSON    []string // --set-json key=json, or a whole object
	SetLiteral []string // --set-literal
	// Stdin is what "-" reads; nil means empty.
	Stdin io.Reader
	// Fetch reads URLs; nil means HTTPFetcher. References with a scheme that it
	// does not handle are taken for paths, as in Helm.
	Fetch Fetcher
	// Limits bound what is read.
	Limits Limits
}

// Fetcher reads values from elsewhere than the disk.
type Fetcher interface {
	// Handles tells whether it reads URLs of that scheme.
	Handles(scheme string) bool
	Fetch(ctx context.Context, url string) ([]byte, error)
}

// Merge merges all values in Helm's order: files as given, then SetJSON, Set,
// SetString, SetFile, SetLiteral, later ones winning. What is wrong is a
// diag.Problem that names the file and line, or the expression.
func (o ValuesOptions) Merge(ctx context.Context) (map[string]any, error) {
	merged := map[string]any{}
	for _, file := range o.Files {
		values, err := o.readValues(ctx, file)
		if err != nil {
			return nil, err
		}
		merged = loader.MergeMaps(merged, values)
	}
	var err error
	for _, expr := range o.SetJSON {
		if merged, err = setJSON(expr, merged); err != nil {
			return nil, badExpression("--set-json", expr, err)
		}
	}
	if err := o.setAll(ctx, merged); err != nil {
		return nil, err
	}
	return merged, nil
}

// setAll writes the expressions into merged, flag by flag.
func (o ValuesOptions) setAll(ctx context.Context, merged map[string]any) error {
	flags := o.setFlags(func(name []rune) (any, error) {
		data, err := o.read(ctx, string(name))
		return string(data), err
	})
	for _, flag := range flags {
		for _, expr := range flag.expressions {
			if err := flag.parse(expr, merged); err != nil {
				return badExpression(flag.name, expr, err)
			}
		}
	}
	return nil
}

// setFlag is one of the --set flags that are written into merged values.
type setFlag struct {
	name        string
	expressions []string
	parse       func(expr string, into map[string]any) error
}

// setFlags lists them in Helm's order; contents reads what --set-file names.
func (o ValuesOptions) setFlags(contents strvals.RunesValueReader) []setFlag {
	return []setFlag{
		{"--set", o.Set, strvals.ParseInto},
		{"--set-string", o.SetString, strvals.ParseIntoString},
		{"--set-file", o.SetFile, func(expr string, into map[string]any) error {
			return strvals.ParseIntoFile(expr, into, contents)
		}},
		{"--set-literal", o.SetLiteral, strvals.ParseLiteralInto},
	}
}

func setJSON(expr string, merged map[string]any) (map[string]any, error) {
	object := strings.TrimSpace(expr)
	if !strings.HasPrefix(object, "{") {
		return merged, strvals.ParseJSON(expr, merged)
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(object), &values); err != nil {
		return nil, err
	}
	return loader.MergeMaps(merged, values), nil
}

func badExpression(flag, expr string, err error) error {
	if found := diag.Problems(err); found != nil {
		return found
	}
	if flag != "--set-file" { // what follows there is a path
		expr = withoutValues(flag, expr)
	}
	return diag.Problem{Summary: fmt.Sprintf("%s %q cannot be read", flag, expr), Detail: err.Error()}
}

// assigned is a value in an expression: a list in braces, or all up to the
// next comma that is not escaped.
var assigned = pattern.Lazy(`=(\{[^}]*\}?|(\\.|[^,\\])*)`)

// withoutValues leaves the names in an expression: a value may be a password.
func withoutValues(flag, expr string) string {
	if flag == "--set" || flag == "--set-string" {
		return assigned().ReplaceAllString(expr, "=***")
	}
	name, _, found := strings.Cut(expr, "=")
	switch {
	case found:
		return name + "=***"
	case flag == "--set-json":
		return "***" // a whole object
	}
	return expr
}

// readValues reads a values file, which may hold several documents.
func (o ValuesOptions) readValues(ctx context.Context, file string) (map[string]any, error) {
	data, err := o.read(ctx, file)
	if err != nil {
		return nil, err
	}
	values, err := loader.LoadValues(bytes.NewReader(data))
	if err != nil {
		return nil, valuesProblem(file, string(data), err)
	}
	return values, nil
}

// read reads what a flag names, up to the limit.
func (o ValuesOptions) read(ctx context.Context, file string) ([]byte, error) {
	data, err := o.readUpTo(ctx, file)
	if err != nil {
		return nil, err
	}
	return data, o.Limits.checkValues(file, data)
}

// readUpTo reads at most one byte more than the limit.
func (o ValuesOptions) readUpTo(ctx context.Context, file string) ([]byte, error) {
	if strings.TrimSpace(file) == "-" {
		return o.readStdin()
	}
	u, err := url.Parse(file)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("values file %q cannot be read", file), Detail: err.Error()}
	}
	fetch := o.Fetch
	if fetch == nil {
		fetch = HTTPFetcher{MaxSize: o.Limits.Of(LimitValuesSize)}
	}
	if fetch.Handles(u.Scheme) {
		data, err := fetch.Fetch(ctx, file)
		if err != nil {
			return nil, diag.Problem{Summary: fmt.Sprintf("values file %q cannot be fetched", u.Redacted()), Detail: err.Error()}
		}
		return data, nil
	}
	data, err := o.readFile(file)
	if err != nil {
		return nil, diag.Problem{Summary: fmt.Sprintf("values file %q cannot be read", file), Detail: err.Error()}
	}
	return data, nil
}

func (o ValuesOptions) readStdin() ([]byte, error) {
	if o.Stdin == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(o.Stdin, o.Limits.Of(LimitValuesSize)+1))
	if err != nil {
		return nil, fmt.Errorf("reading values from standard input: %w", err)
	}
	return data, nil
}
