#!/usr/bin/env bash
# Runs the tests of all modules with the race detector, one package after
# another, and then stories of e2e/ with a binary that has it: its exit code is 66 when
# it finds a race, which no story expects.
#
#   RUN=hooks   chooses other stories; RUN=none leaves them out
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
export CGO_ENABLED=1

status=0
for module in . sandbox examples/server bench; do
	packages=$("$go" -C "$module" list ./... | grep -v '/e2e$')
	# shellcheck disable=SC2086 # a word each
	nice "$go" -C "$module" test -race -p 1 -buildvcs=false $packages || status=1
done

run=${RUN:-^(TestFaultyNetwork|TestSignals|TestStories/(hooks_order|tests_side_by_side|interrupt|lock|log_dir|resume|ledger_life|rollback_on_failure))\$}
if [ "$run" != none ]; then
	nice "$go" build -race -trimpath -buildvcs=false -o bin/race/pintle ./cmd/pintle
	RUN=$run PINTLE_E2E_BINARY=$PWD/bin/race/pintle hack/test-e2e.sh || status=1
fi
exit "$status"
