package chart

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkTemplate is what `template` does, on a small, a medium and a large
// public chart.
func BenchmarkTemplate(b *testing.B) {
	for _, name := range []string{"cert-manager__cert-manager__cert-manager", "helm__charts__dex", "istio__istio__istio-discovery", "traefik__traefik-helm-chart__traefik"} {
		var path string
		for _, p := range publicCharts(b) {
			if strings.TrimSuffix(filepath.Base(p), ".tgz") == name {
				path = p
			}
		}
		if path == "" {
			b.Skipf("no chart %s", name)
		}
		opts := options(nil)
		opts.Capabilities.KubeVersion = kubeVersion
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c, err := Load(b.Context(), path, OpenOptions{})
				if err != nil {
					b.Fatal(err)
				}
				r, err := Render(b.Context(), c, opts)
				if err != nil {
					b.Fatal(err)
				}
				if err := Print(io.Discard, r, PrintOptions{IncludeCRDs: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
