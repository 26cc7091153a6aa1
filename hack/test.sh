#!/usr/bin/env bash
# Runs all tests: those without a cluster, then the stories of e2e/ on the
# sandbox. Fails when a test fails, and when the second part could not run.
set -euo pipefail
cd "$(dirname "$0")/.."

# Some of these need a Postgres, or whatever else the stories need.
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && make -s packages; then
	export PINTLE_POSTGRES=required
fi
unit=0
hack/test-unit.sh || unit=$?
hack/test-e2e.sh
if [ "$unit" != 0 ]; then
	echo "FAIL: tests that need no cluster failed; see above" >&2
	exit "$unit"
fi
