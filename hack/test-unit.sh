#!/usr/bin/env bash
# Runs the tests that need no cluster, of every module that holds code of ours.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

status=0
run() { # run MODULE PACKAGE...
	local module=$1
	shift
	"$go" -C "$module" test -buildvcs=false "$@" || status=1
}

run sandbox ./...
run examples/server ./...
# The stories of e2e/ need a cluster. The packages are listed first: without a
# list, go test would say nothing and succeed.
packages=$("$go" list ./... | grep -v '/e2e$')
# shellcheck disable=SC2086 # a word each
run . $packages
exit "$status"
