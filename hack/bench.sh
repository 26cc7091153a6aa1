#!/usr/bin/env bash
# Measures pintle beside Helm 4 and Helm 3 on the sandbox, taking turns. Run it
# on a machine that does nothing else: the ratios are the result.
#
#   ONLY='version,200'   runs only the scenarios whose names begin like that
#   ROUNDS=5             counted rounds
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory packages sandbox build helm
started=
cleanup() {
	local status=$?
	[ -z "$started" ] || bin/pintle-sandbox down || status=1
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if ! bin/pintle-sandbox status >/dev/null 2>&1; then
	started=yes
	bin/pintle-sandbox up
fi
"${GO:-go}" -C bench build -buildvcs=false -o ../bin/pintle-bench .
bin/pintle-bench -kubeconfig "$(bin/pintle-sandbox kubeconfig --path)" -rounds "${ROUNDS:-5}" ${ONLY:+-only "$ONLY"}
