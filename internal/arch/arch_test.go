package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file and what it imports.
type source struct {
	file    string
	pkg     string
	imports []string
	// test tells a test file, outside one whose package is x_test.
	test, outside bool
}

func TestLayers(t *testing.T) {
	sources := readModule(t, filepath.Join("..", ".."))
	for _, problem := range check(layers, libraries, sources) {
		t.Error(problem)
	}
}

// TestCheckFinds makes sure that the check can fail: each case breaks one rule.
func TestCheckFinds(t *testing.T) {
	rows := []row{{pkg: "a"}, {pkg: "b", may: []string{"a"}}, {pkg: "fake", may: []string{"a"}, test: true}, {pkg: "cli", may: []string{"a", "b", "fake"}}}
	libs := []library{{prefix: "example.com/never"}, {prefix: "example.com/lib", users: []string{"b"}, tests: true}}
	whole := []source{{file: "a.go", pkg: "a"}, {file: "b.go", pkg: "b"}, {file: "fake.go", pkg: "fake"}, {file: "cli.go", pkg: "cli"}}
	in := func(pkgs ...string) []string {
		var out []string
		for _, p := range pkgs {
			out = append(out, module+"/internal/"+p)
		}
		return out
	}
	tests := []struct {
		name    string
		source  source
		problem string
	}{
		{"allowed", source{file: "f.go", pkg: "b", imports: in("a")}, ""},
		{"against the layers", source{file: "f.go", pkg: "a", imports: in("b")}, "f.go: a must not import b"},
		{"a test inside", source{file: "f_test.go", pkg: "a", imports: in("b"), test: true}, "f_test.go: a must not import b"},
		{"a test outside", source{file: "f_test.go", pkg: "a", imports: in("b", "fake"), test: true, outside: true}, ""},
		{"a test outside that imports cli", source{file: "f_test.go", pkg: "a", imports: in("cli"), test: true, outside: true}, "f_test.go: a must not import cli"},
		{"code with test support", source{file: "f.go", pkg: "cli", imports: in("fake")}, "f.go: cli must not import fake"},
		{"a test with test support", source{file: "f_test.go", pkg: "cli", imports: in("fake"), test: true}, ""},
		{"a package without a row", source{file: "f.go", pkg: "new"}, "new: the table has no row for this package"},
		{"a library of others", source{file: "f.go", pkg: "a", imports: []string{"example.com/lib/x"}}, "f.go: a must not use example.com/lib/x"},
		{"a test with a library of others", source{file: "f_test.go", pkg: "a", imports: []string{"example.com/lib/x"}, test: true}, ""},
		{"a library of nobody", source{file: "f_test.go", pkg: "b", imports: []string{"example.com/never"}, test: true}, "f_test.go: b must not use example.com/never"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(check(rows, libs, append(slices.Clone(whole), tt.source)), "; ")
			if got != tt.problem {
				t.Errorf("got %q, want %q", got, tt.problem)
			}
		})
	}
	if got := check(append(rows, row{pkg: "gone"}), libs, whole); len(got) != 1 || got[0] != "gone: the table has a row for a package that does not exist" {
		t.Errorf("a row without a package: got %q", got)
	}
}

// check compares sources with the tables and words what does not fit.
func check(rows []row, libs []library, sources []source) []string {
	known := map[string]row{}
	seen := map[string]bool{}
	for _, r := range rows {
		known[r.pkg] = r
	}
	var problems []string
	for _, s := range sources {
		r, ok := known[s.pkg]
		if !ok && !seen[s.pkg] {
			problems = append(problems, s.pkg+": the table has no row for this package")
		}
		seen[s.pkg] = true
		if ok {
			problems = append(problems, checkFile(known, r, s)...)
			problems = append(problems, checkLibraries(libs, s)...)
		}
	}
	for _, r := range rows {
		if !seen[r.pkg] {
			problems = append(problems, r.pkg+": the table has a row for a package that does not exist")
		}
	}
	return problems
}

func checkFile(known map[string]row, r row, s source) []string {
	var problems []string
	for _, imported := range s.imports {
		target, ours := relative(imported)
		if !ours || target == s.pkg {
			continue
		}
		allowed := slices.Contains(r.may, target)
		switch {
		case s.outside:
			allowed = target != "cli"
		case known[target].test:
			allowed = s.test || r.test
		}
		if !allowed {
			problems = append(problems, fmt.Sprintf("%s: %s must not import %s", s.file, s.pkg, target))
		}
	}
	return problems
}

func checkLibraries(libs []library, s source) []string {
	var problems []string
	for _, imported := range s.imports {
		for _, l := range libs {
			if !strings.HasPrefix(imported, l.prefix) {
				continue
			}
			if !slices.Contains(l.users, s.pkg) && !(l.tests && s.test) {
				problems = append(problems, fmt.Sprintf("%s: %s must not use %s", s.file, s.pkg, imported))
			}
			break // the first that fits decides: the narrow ones come first
		}
	}
	return problems
}

// relative is the path of a package of this module as the table writes it.
func relative(importPath string) (string, bool) {
	rest, ours := strings.CutPrefix(importPath, module+"/")
	return strings.TrimPrefix(rest, "internal/"), ours
}

// readModule reads the imports of all Go files below internal/ and cmd/.
func readModule(t *testing.T, root string) []source {
	t.Helper()
	var sources []source
	for _, top := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return fs.SkipDir
			case entry.IsDir() || !strings.HasSuffix(file, ".go"):
				return nil
			}
			s, err := readFile(root, file)
			sources = append(sources, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(sources) < len(layers) {
		t.Fatalf("found only %d Go files: is %s the root of the module?", len(sources), root)
	}
	return sources
}

func readFile(root, file string) (source, error) {
	text, err := os.ReadFile(file) // read here, so that the test's cache knows of it
	if err != nil {
		return source{}, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
	if err != nil {
		return source{}, err
	}
	inside, err := filepath.Rel(root, file)
	if err != nil {
		return source{}, err
	}
	inside = filepath.ToSlash(inside)
	s := source{file: inside, pkg: strings.TrimPrefix(path.Dir(inside), "internal/"), test: strings.HasSuffix(file, "_test.go")}
	s.outside = s.test && strings.HasSuffix(parsed.Name.Name, "_test")
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		s.imports = append(s.imports, imported)
	}
	return s, nil
}
