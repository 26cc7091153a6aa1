package e2e

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// archive packs an archive that no honest tool would, from a list of its entries:
//
//	archive FILE LIST
//
// A line of the list is "file NAME PATH" for the content of a file of the story,
// "zeros NAME BYTES", "link NAME TARGET" or "hardlink NAME TARGET".
func archive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: archive FILE LIST")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		words := strings.Fields(line)
		if len(words) != 3 {
			ts.Fatalf("%s: %q is not a kind, a name and what belongs to it", args[1], line)
		}
		ts.Check(addEntry(ts, w, words[0], words[1], words[2]))
	}
	ts.Check(errors.Join(w.Close(), z.Close(), f.Close()))
}

func addEntry(ts *testscript.TestScript, w *tar.Writer, kind, name, what string) error {
	header := tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg}
	content := io.Reader(strings.NewReader(""))
	switch kind {
	case "file":
		text := ts.ReadFile(what)
		header.Size, content = int64(len(text)), strings.NewReader(text)
	case "zeros":
		size, err := strconv.ParseInt(what, 10, 64)
		if err != nil {
			return err
		}
		header.Size, content = size, zeros{}
	case "link":
		header.Typeflag, header.Linkname = tar.TypeSymlink, what
	case "hardlink":
		header.Typeflag, header.Linkname = tar.TypeLink, what
	default:
		ts.Fatalf("archives hold no %q", kind)
	}
	if err := w.WriteHeader(&header); err != nil {
		return err
	}
	_, err := io.CopyN(w, content, header.Size)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// damage changes one bit in the last eight bytes of a file, which in an archive
// are its checksum and its length:
//
//	damage FILE
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	data := []byte(ts.ReadFile(args[0]))
	if len(data) < 8 {
		ts.Fatalf("%s is too short to be an archive", args[0])
	}
	data[len(data)-8] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
