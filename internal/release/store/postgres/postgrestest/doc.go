// Package postgrestest starts a real Postgres for a test: Debian's programs, on
// loopback and a socket in a folder of its own, as an unprivileged user, with
// passwords that are checked. Only tests use it.
package postgrestest
