// Package cli is the command line: it turns arguments and environment into
// option structs, builds the cluster client, the record store and the views,
// hands them to internal/lifecycle, and turns what comes back into output,
// advice and an exit code. It decides nothing about releases.
//
// Beside internal/ui it is the only package that knows of standard output,
// terminals and exit codes; it is the only one that knows of signals and
// environment variables. Everything that differs between two runs comes in
// through Main's arguments, so that a test can run a command as main does.
package cli
