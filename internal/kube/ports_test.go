package kube_test

import (
	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/engine"
	"github.com/pintle-dev/pintle/internal/kube"
)

// The client is what these packages ask for, without knowing them.
var (
	_ engine.Applier     = (*kube.Client)(nil)
	_ engine.Watcher     = (*kube.Client)(nil)
	_ engine.LogStreamer = (*kube.Client)(nil)
	_ engine.EventReader = (*kube.Client)(nil)
	_ chart.Lookup       = (*kube.Client)(nil)
)
