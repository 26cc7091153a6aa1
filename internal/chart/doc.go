// Package chart turns a chart reference and values into rendered documents
// and notes. It is a thin face on Helm's own chart packages, so that the same
// chart gives the same bytes: what it adds is problems with file and line,
// documents that keep their position, and pure functions where Helm changes
// its inputs.
//
// The way through it:
//
//	c, err := chart.Load(ctx, "./storefront", opts)     // folder or archive
//	vals, err := chart.ValuesOptions{...}.Merge(ctx)    // -f and --set*
//	c, vals, err = chart.CarryOver(c, vals, previous, policy) // upgrades only
//	out, err := chart.Render(ctx, c, chart.RenderOptions{...})
//
// Rendered holds the manifest as a release record stores it, hooks, ordinary
// documents, files of crds/, notes, and, in Raw, every document before any was
// sorted out. Which annotations make a hook valid is not decided here:
// internal/release parses them from the documents.
//
// What a user can fix is returned as diag.Problem or diag.List; everything
// else is an ordinary error.
//
// Charts and values come from strangers. Open refuses what no chart may hold
// and what is above the Limits, before Helm's loader reads it; Render bounds
// what templates take, and with a Confinement runs them in a process of their
// own (see docs/limits.md).
//
// The package talks to no cluster. What templates may know of one comes in as
// Capabilities, and `lookup` goes through the Lookup interface.
package chart
