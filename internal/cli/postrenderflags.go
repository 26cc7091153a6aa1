package cli

import (
	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/spf13/pflag"
)

// postRenderFlags name the program that changes what was rendered.
type postRenderFlags struct{ chart.PostRenderer }

func (p *postRenderFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.Name, "post-renderer", "", "a Helm plugin of type postrenderer/v1, or a program: it reads what was rendered and writes what to use instead")
	f.StringArrayVar(&p.Args, "post-renderer-args", nil, "an argument for the post-renderer (repeatable)")
}

// find looks the program up: nil where none was asked for. Arguments without
// a program have no effect, as in Helm.
func (p *postRenderFlags) find(env Env) (chart.PostRender, error) {
	if p.Name == "" {
		return nil, nil
	}
	found := p.PostRenderer
	found.PluginFolders = chart.PluginFolders(env.text("HELM_PLUGINS"))
	return found.Find()
}
