// Package source finds charts that are not on the disk, and fetches them: from
// chart repositories (by the names of Helm's repositories.yaml, or by URL), from
// OCI registries with Helm's login, from plain URLs, and with Helm's getter
// plugins. It keeps Helm's own files: repositories.yaml, the cache of indexes,
// the cache of charts, the registry login.
//
// Everything goes through a Client:
//
//	c := source.NewClient(settings)
//	found, err := c.Find(ctx, "stable/web", source.Request{Version: "^2"})
//	charts, err := chart.Open(found.Path, ...)
//
// What a user can fix (a name that is not there, a host that does not answer, a
// login that is not accepted, a signature that does not hold) is a diag.Problem
// that names the host and what it answered. Nothing is ever changed outside the
// caches, but by the functions that say so.
//
// Credentials go to the scheme, host and port that they were given for, and to
// no other, unless Access.PassCredentials says so; they are in no message.
//
// The package renders nothing and knows no cluster. It does not decide whether
// a chart may be installed.
package source
