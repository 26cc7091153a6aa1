package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
)

// intake counts what a chart brings, subcharts included, and refuses what is
// too much or what no chart may hold. It unpacks archives itself: Helm's loader
// has no bound on the number of files and none on archives within a chart
// together, takes the later of two files of one name, and stops reading
// before the checksum. Folders, and archives within a chart, it checks before
// that loader reads them.
type intake struct {
	limits   Limits
	files    int64
	bytes    int64
	warnings diag.List
}

// maxDepth bounds archives within archives. A chart's dependencies are seldom
// three deep.
const maxDepth = 20

// headroom is how many bytes of an archive may go into the header and the
// padding of one file.
const headroom = 4 << 10

// isSubchart tells an entry that Helm's loader unpacks in its turn.
func isSubchart(inner string) bool {
	folder, name := path.Split(inner)
	return strings.HasSuffix(name, ".tgz") && path.Base(folder) == "charts" && !strings.ContainsRune("_.", rune(name[0]))
}

// errTooLong is the end of an archive's stream that has no end.
var errTooLong = errors.New("too long")

// archive checks and unpacks a packed chart: the files are those that Helm's
// loader would take out of it. Name is how problems call it.
func (in *intake) archive(name string, packed []byte, depth int) ([]*archive.BufferedFile, error) {
	if depth > maxDepth {
		return nil, diag.Problem{Summary: fmt.Sprintf("archives within archives, %d deep", depth), File: name}
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, damaged(name, err)
	}
	stream := &bounded{r: unzipped, left: in.limits.Of(LimitChartSize) - in.bytes + headroom*(in.limits.Of(LimitChartFiles)-in.files+1)}
	files, err := in.entries(name, tar.NewReader(stream), depth)
	if err == nil {
		_, err = io.Copy(io.Discard, stream) // the checksum comes last
	}
	switch {
	case err == nil:
		return files, nil
	case diag.Problems(err) != nil:
		return nil, err
	case errors.Is(err, errTooLong):
		return nil, in.tooBig(name)
	default:
		return nil, damaged(name, err)
	}
}

func damaged(name string, err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, gzip.ErrChecksum):
		text = "its checksum does not fit its content"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, io.EOF):
		text = "it is not compressed with gzip"
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = "it ends too early"
	}
	return diag.Problem{Summary: fmt.Sprintf("the archive %s is damaged", printable(name)), Detail: text}
}

func (in *intake) tooBig(name string) error {
	limit := in.limits.Of(LimitChartSize)
	return in.limits.exceeded(LimitChartSize, "", fmt.Sprintf("chart %s unpacks to more than %s", printable(name), size(limit)))
}

// entries walks one archive.
func (in *intake) entries(name string, packed *tar.Reader, depth int) (files []*archive.BufferedFile, err error) {
	seen := map[string]bool{}
	for {
		header, err := packed.Next()
		switch {
		case errors.Is(err, io.EOF):
			return files, nil
		case err != nil:
			return nil, err
		}
		if err := in.entry(name, header, seen); err != nil {
			return nil, err
		}
		if !isFile(header) {
			continue
		}
		// What the header promises is within the limits: entry has seen to that.
		data := make([]byte, header.Size)
		if _, err := io.ReadFull(packed, data); err != nil {
			return nil, err
		}
		inner := insideChart(header.Name)
		if isSubchart(inner) { // of whatever type: the loader goes by the name
			if _, err := in.archive(name+"/"+inner, data, depth+1); err != nil {
				return nil, err
			}
		}
		files = append(files, &archive.BufferedFile{Name: inner, ModTime: header.ModTime, Data: bytes.TrimPrefix(data, byteOrderMark)})
	}
}

// byteOrderMark is left out of files, as in Helm.
var byteOrderMark = []byte("\ufeff")

// isFile tells files from folders and what only tells of others.
func isFile(header *tar.Header) bool {
	return header.Typeflag != tar.TypeXGlobalHeader && !header.FileInfo().IsDir()
}

// entry checks what an archive says of one of its files.
func (in *intake) entry(name string, header *tar.Header, seen map[string]bool) error {
	if !isFile(header) {
		return in.count(name, header.Name, 0)
	}
	file := name + "/" + header.Name
	whose := "the archive " + printable(name)
	if err := checkPath(whose, header.Name); err != nil {
		return err
	}
	if err := checkPlace(whose, header.Name); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
	case tar.TypeSymlink, tar.TypeLink:
		if err := in.link(name, header); err != nil {
			return err
		}
	default:
		return diag.Problem{Summary: fmt.Sprintf("%s is neither a file nor a folder", printable(file)), Detail: "charts hold files only"}
	}
	inner := insideChart(header.Name)
	if strings.Contains(header.Name, `\`) && strings.Contains(header.Name, "/") {
		return diag.Problem{Summary: fmt.Sprintf("the archive %s holds a file whose name mixes / and \\", printable(name)), Detail: printable(header.Name)}
	}
	if seen[inner] {
		return diag.Problem{Summary: fmt.Sprintf("the archive %s holds %s twice", printable(name), inner), Detail: "which of them counts would depend on who unpacks it"}
	}
	seen[inner] = true
	return in.count(name, header.Name, header.Size)
}

// count adds one file of a chart.
func (in *intake) count(name, file string, bytes int64) error {
	in.files++
	in.bytes += bytes
	switch {
	case in.files > in.limits.Of(LimitChartFiles):
		return in.limits.exceeded(LimitChartFiles, "", fmt.Sprintf("chart %s holds more than %d files", printable(name), in.limits.Of(LimitChartFiles)))
	case bytes > in.limits.Of(LimitFileSize):
		return in.limits.exceeded(LimitFileSize, "", fmt.Sprintf("%s of chart %s is %s long", printable(file), printable(name), size(bytes)))
	case in.bytes > in.limits.Of(LimitChartSize):
		return in.tooBig(name)
	}
	return nil
}

// link refuses a link that leads out of the chart. One that stays within is
// loaded by Helm as an empty file, which is worth a warning.
func (in *intake) link(name string, header *tar.Header) error {
	inner, target := insideChart(header.Name), strings.ReplaceAll(header.Linkname, `\`, "/")
	if header.Size != 0 { // which may be below zero
		return diag.Problem{Summary: fmt.Sprintf("%s in the archive %s is a link with a content", printable(inner), printable(name))}
	}
	within := path.Join(path.Dir(inner), target)
	if header.Typeflag == tar.TypeLink { // counted from where the archive begins
		within = path.Clean(insideChart(target))
	}
	if path.IsAbs(target) || drive(target) || within == ".." || strings.HasPrefix(within, "../") {
		return diag.Problem{
			Summary: fmt.Sprintf("%s in the archive %s is a link out of the chart, to %s", printable(inner), printable(name), printable(header.Linkname)),
			Detail:  "no template may read what is not part of the chart",
		}
	}
	in.warnings.Warnf("%s in the archive %s is a link to %s: archives of charts cannot hold links, and it counts as an empty file", inner, name, printable(header.Linkname))
	return nil
}

// drive tells a path that begins with the letter of a drive.
func drive(path string) bool {
	return len(path) > 1 && path[1] == ':' && unicode.IsLetter(rune(path[0])) && path[0] < utf8.RuneSelf
}

// maxName bounds the length of a path. Deep folders are a way to make loaders
// call themselves.
const maxName = 1024

func badPath(whose, file, what string) error {
	return diag.Problem{Summary: whose + " holds a file " + what, Detail: printable(file)}
}

// checkPath refuses a path that leads out of the chart or that no file system
// and no terminal should see.
func checkPath(whose, file string) error {
	problem := func(what string) error { return badPath(whose, file, what) }
	slashed := strings.ReplaceAll(file, `\`, "/")
	switch {
	case len(file) > maxName:
		return problem(fmt.Sprintf("whose name is %d bytes long, more than %d", len(file), maxName))
	case !utf8.ValidString(file) || strings.ContainsFunc(file, unicode.IsControl):
		return problem("whose name has characters that cannot be shown")
	case path.IsAbs(slashed) || drive(slashed):
		return problem("with an absolute path")
	}
	for step := range strings.SplitSeq(slashed, "/") {
		if step == ".." {
			return problem("outside the chart")
		}
	}
	if inner := insideChart(file); inner == "" || inner == "." {
		return problem("outside the chart's folder")
	}
	return nil
}

// checkPlace refuses what Helm refuses in archives alone: folders may hold it,
// as one that Kubernetes makes of a ConfigMap does.
func checkPlace(whose, file string) error {
	folder, _, _ := strings.Cut(strings.ReplaceAll(file, `\`, "/"), "/")
	switch inner := insideChart(file); {
	case folder == "Chart.yaml":
		return badPath(whose, file, "outside the chart's folder")
	case path.IsAbs(inner) || drive(inner) && strings.HasPrefix(inner[2:], "/"):
		return badPath(whose, file, "with an absolute path")
	case strings.HasPrefix(inner, ".."):
		return badPath(whose, file, "whose name begins with two dots")
	}
	return nil
}

// insideChart is a path without the chart's folder, which comes first in an
// archive, as Helm's loader reads it.
func insideChart(file string) string {
	_, inner, _ := strings.Cut(strings.ReplaceAll(file, `\`, "/"), "/")
	if inner == "" {
		return ""
	}
	return path.Clean(inner)
}

// printable shortens and quotes what comes from outside where a terminal could
// mistake it for something else.
func printable(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "..."
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

// bounded fails with errTooLong behind so many bytes.
type bounded struct {
	r    io.Reader
	left int64
}

// Read reads up to the bound.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// The end may be right here.
		if n, err := b.r.Read(make([]byte, 1)); n == 0 && err != nil {
			return 0, err
		}
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
