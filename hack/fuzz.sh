#!/usr/bin/env bash
# Fuzzes each target of the product in turn, for FUZZTIME each. What is found
# is kept in testdata/fuzz of its package, where ordinary tests run it again.
# RUN='chart|Lease' chooses targets by package and name.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

status=0
while IFS=: read -r file target; do
	package=$(dirname "$file")
	if ! [[ $package.$target =~ ${RUN:-.} ]]; then continue; fi
	echo "== $package $target"
	nice "$go" test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-1m}" -fuzzminimizetime 200x -parallel "${FUZZPROCS:-1}" || status=1
done < <(grep -rhoH --include='*_test.go' -E '^func Fuzz[A-Za-z0-9]+' internal | sed 's/func //' | sort)
exit "$status"
