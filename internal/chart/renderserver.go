package chart

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"text/template"

	"github.com/pintle-dev/pintle/internal/diag"
	"helm.sh/helm/v4/pkg/chart/common"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
)

// ServeTemplates is the other end of a Confinement: it reads one chart and its
// values from in, renders it, and writes what came of it to out. It is the
// whole work of a process that dies when it must: with its parent, when in
// ends, and from what templates do to it. The result is the exit code.
func ServeTemplates(in io.Reader, out io.Writer) int {
	s := server{speaker: speaker{w: out}, answers: make(chan lookupAnswer)}
	kind, data, err := hear(in, 1<<40)
	if err == nil && kind != sayRender {
		err = errWire
	}
	var request renderRequest
	if err == nil {
		err = decodeWire(data, &request)
	}
	if err != nil {
		_ = s.say(sayFailed, "reading what is to be rendered: "+err.Error())
		return 1
	}
	go s.listen(in)
	if err := s.serve(request); err != nil {
		return 1
	}
	return 0
}

// server renders one chart for another process.
type server struct {
	speaker
	answers chan lookupAnswer
}

// maxStack bounds how deep templates may call each other. Go ends a process
// whose stack is full, which cannot be caught.
const maxStack = 512 << 20

// listen passes answers on. The end of the stream is the parent's: nobody
// waits for the result.
func (s *server) listen(in io.Reader) {
	for {
		_, data, err := hear(in, 1<<40)
		var answer lookupAnswer
		if err == nil {
			err = decodeWire(data, &answer)
		}
		if err != nil {
			os.Exit(1)
		}
		s.answers <- answer
	}
}

func (s *server) serve(request renderRequest) error {
	limits := Limits{set: map[LimitName]int64{}}
	for name, value := range request.Limits {
		limits.set[LimitName(name)], _ = value.(int64)
	}
	debug.SetMaxStack(maxStack)
	fence(limits.Of(LimitRenderMemory))
	watch := newGauge(limits)
	go watch.until(context.Background(), func(p diag.Problem) {
		_ = s.say(sayLimit, p)
		os.Exit(1)
	})
	files, err := s.render(request)
	var p diag.Problem
	switch {
	case err != nil:
		return s.say(sayFailed, err.Error())
	case errors.As(limits.checkOutput(files), &p):
		return s.say(sayLimit, p)
	default:
		return s.say(sayDone, files)
	}
}

// render runs the engine, and tells which template is next.
func (s *server) render(request renderRequest) (map[string]string, error) {
	caps, err := request.Capabilities.helm()
	if err != nil {
		return nil, err
	}
	chrt := request.Chart.unpack()
	announce(chrt)
	e := engine.Engine{EnableDNS: request.EnableDNS, LintMode: request.LintMode, CustomTemplateFuncs: template.FuncMap{
		beginFunc: func(name string) (string, error) { return "", s.say(sayBegin, name) },
	}}
	if request.Lookups {
		e.CustomTemplateFuncs["lookup"] = s.lookup
	}
	files, err := e.RenderWithContext(context.Background(), chrt, common.Values{
		"Chart":        chrt.Metadata, // the engine puts its own form in the place of it
		"Capabilities": caps, "Release": request.Release, "Values": common.Values(request.Values),
	})
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasSuffix(name, announced) })
	return files, err
}

func (s *server) lookup(apiVersion, kind, namespace, name string) (map[string]any, error) {
	if err := s.say(sayLookup, lookupRequest{apiVersion, kind, namespace, name}); err != nil {
		return nil, err
	}
	answer := <-s.answers
	if answer.Err != "" {
		return nil, errors.New(answer.Err)
	}
	return answer.Found, nil
}

const (
	// beginFunc is a function for the templates that announce adds.
	beginFunc = "pintle_begin"
	// announced ends their names. No chart can have such a name, and in the
	// engine's order, which is that of names backwards, nothing comes between
	// this one and the one without it.
	announced = "\x00"
)

// announce adds a template before each one that says which is next.
func announce(c *helmchart.Chart) {
	templates := c.Templates
	for _, t := range templates {
		if strings.HasPrefix(path.Base(t.Name), "_") {
			continue // the engine renders no partials
		}
		name := path.Join(c.ChartFullPath(), t.Name)
		c.Templates = append(c.Templates, &common.File{Name: t.Name + announced, Data: []byte("{{ " + beginFunc + " `" + strings.ReplaceAll(name, "`", "'") + "` }}")})
	}
	for _, sub := range c.Dependencies() {
		announce(sub)
	}
}
