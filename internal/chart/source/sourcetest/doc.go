// Package sourcetest starts, on loopback, what charts come from: chart
// repositories over HTTP and OCI registries, with TLS and with logins, and makes
// the charts, keys and certificates for them. Only tests use it.
package sourcetest

// TB is what is used of a testing.TB.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
}
