#!/bin/sh
# Tries the sandbox on this machine: that clusters work, and that whatever happens
# to them nothing remains. Needs root and a machine on which no sandbox is up.
#
# usage: sandbox/selftest.sh [ARGUMENTS OF go test]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/install-packages.sh"
"$here/build.sh"
cd "$here"
PINTLE_SANDBOX_SELFTEST=$(dirname "$here")/bin exec go test ./internal/selftest -count=1 -timeout=30m "$@"
