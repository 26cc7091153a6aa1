package main

import (
	"errors"
	"fmt"
	"time"
)

// settings are what the environment decides. Where the database is comes from the usual PGHOST, PGPORT, PGUSER,
// PGPASSWORD and PGDATABASE, which the Postgres driver and psql read alike.
type settings struct {
	// version is what the service calls itself: STOREFRONT_VERSION, which its image sets to the image's tag; else dev.
	version string
	// address to listen on: STOREFRONT_ADDRESS, by default :8080.
	address string
	// token that callers of the protected endpoints must send: STOREFRONT_TOKEN. It has no default: a service that
	// was given none must not start, rather than let everybody in.
	token string
	// shutdownDelay is the time between failing readiness and refusing connections: STOREFRONT_SHUTDOWN_DELAY, a Go
	// duration, by default 1s.
	shutdownDelay time.Duration
}

// settingsFrom reads the settings through getenv and reports every one that is wrong.
func settingsFrom(getenv func(string) string) (settings, error) {
	read := settings{version: "dev", address: ":8080", token: getenv("STOREFRONT_TOKEN"), shutdownDelay: time.Second}
	var problems []error
	if version := getenv("STOREFRONT_VERSION"); version != "" {
		read.version = version
	}
	if address := getenv("STOREFRONT_ADDRESS"); address != "" {
		read.address = address
	}
	if read.token == "" {
		problems = append(problems, errors.New("STOREFRONT_TOKEN is not set: it holds the token that callers must send"))
	}
	if delay := getenv("STOREFRONT_SHUTDOWN_DELAY"); delay != "" {
		parsed, err := time.ParseDuration(delay)
		if err != nil || parsed < 0 {
			problems = append(problems, fmt.Errorf("STOREFRONT_SHUTDOWN_DELAY is %q: want a duration such as 500ms", delay))
		}
		read.shutdownDelay = parsed
	}
	return read, errors.Join(problems...)
}
