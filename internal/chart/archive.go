package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pintle-dev/pintle/internal/diag"
)

// intake counts what a chart brings, subcharts included, and refuses what is
// too much or what no chart may hold. It runs before Helm's loader, which has
// no bound on the number of files and none on archives within a chart
// together, takes the later of two files of one name, and stops reading
// before the checksum.
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

// subchartArchive is an entry that Helm's loader unpacks in its turn.
var subchartArchive = regexp.MustCompile(`(^|/)charts/[^/_.][^/]*\.tgz$`)

// errTooLong is the end of an archive's stream that has no end.
var errTooLong = errors.New("too long")

// archive checks a packed chart. Name is how problems call it.
func (in *intake) archive(name string, packed []byte, depth int) error {
	if depth > maxDepth {
		return diag.Problem{Summary: fmt.Sprintf("archives within archives, %d deep", depth), File: name}
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return damaged(name, err)
	}
	stream := &bounded{r: unzipped, left: in.limits.Of(LimitChartSize) - in.bytes + headroom*(in.limits.Of(LimitChartFiles)-in.files+1)}
	err = in.entries(name, tar.NewReader(stream), depth)
	if err == nil {
		_, err = io.Copy(io.Discard, stream) // the checksum comes last
	}
	switch {
	case err == nil || diag.Problems(err) != nil:
		return err
	case errors.Is(err, errTooLong):
		return in.tooBig(name)
	default:
		return damaged(name, err)
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
func (in *intake) entries(name string, archive *tar.Reader, depth int) error {
	seen := map[string]bool{}
	for {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := in.entry(name, header, seen); err != nil {
			return err
		}
		inner := insideChart(header.Name)
		if header.Typeflag != tar.TypeReg || !subchartArchive.MatchString(inner) {
			continue
		}
		packed, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if err := in.archive(name+"/"+inner, packed, depth+1); err != nil {
			return err
		}
	}
}

// entry checks what an archive says of one of its files.
func (in *intake) entry(name string, header *tar.Header, seen map[string]bool) error {
	if header.Typeflag == tar.TypeXGlobalHeader || header.FileInfo().IsDir() {
		return in.count(name, header.Name, 0)
	}
	file := name + "/" + header.Name
	if err := checkPath(name, header.Name); err != nil {
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
	within := path.Join(path.Dir(inner), target)
	if header.Typeflag == tar.TypeLink { // counted from where the archive begins
		within = path.Clean(insideChart(target))
	}
	if path.IsAbs(target) || drive.MatchString(target) || within == ".." || strings.HasPrefix(within, "../") {
		return diag.Problem{
			Summary: fmt.Sprintf("%s in the archive %s is a link out of the chart, to %s", printable(inner), printable(name), printable(header.Linkname)),
			Detail:  "no template may read what is not part of the chart",
		}
	}
	in.warnings.Warnf("%s in the archive %s is a link to %s: archives of charts cannot hold links, and it counts as an empty file", inner, name, printable(header.Linkname))
	return nil
}

var drive = regexp.MustCompile(`^[a-zA-Z]:`)

// maxName bounds the length of a path. Deep folders are a way to make loaders
// call themselves.
const maxName = 1024

// checkPath refuses a path that leads out of the chart or that no file system
// and no terminal should see.
func checkPath(archive, file string) error {
	problem := func(what string) error {
		return diag.Problem{Summary: fmt.Sprintf("the archive %s holds a file %s", printable(archive), what), Detail: printable(file)}
	}
	slashed := strings.ReplaceAll(file, `\`, "/")
	switch {
	case len(file) > maxName:
		return problem(fmt.Sprintf("whose name is %d bytes long, more than %d", len(file), maxName))
	case !utf8.ValidString(file) || strings.ContainsFunc(file, unicode.IsControl):
		return problem("whose name has characters that cannot be shown")
	case path.IsAbs(slashed) || drive.MatchString(slashed):
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
